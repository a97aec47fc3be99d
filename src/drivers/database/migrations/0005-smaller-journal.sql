-- Signed transactions as bytes: half the size of their hex.
alter table journal alter column raw type bytea using decode(substr(raw, 3), 'hex');
