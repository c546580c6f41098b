//! One file for each region of the screen: plain functions from app and model to a frame.
