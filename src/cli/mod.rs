//! What the user types: arguments, config file, their merge, and one small file for each subcommand.
