CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    customer TEXT NOT NULL,
    cents INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'new'
);
CREATE INDEX orders_by_state ON orders (state);
CREATE TABLE ledger (customer TEXT PRIMARY KEY, cents INTEGER NOT NULL);
