-- Hashes as bytes: half the size of their hex, in the tables and in their indexes.
alter table payments
  alter column model_id type bytea using decode(substr(model_id, 3), 'hex'),
  alter column package_id type bytea using decode(substr(package_id, 3), 'hex'),
  alter column request_hash type bytea using decode(substr(request_hash, 3), 'hex'),
  alter column tx type bytea using decode(substr(tx, 3), 'hex');
-- Payments are looked up by a state that passes; most are in one that stays.
drop index payments_state;
create index payments_open on payments (state) where state in ('reserved', 'sending', 'unknown');

alter table receipts alter column nonce drop default;
alter table receipts
  alter column tx type bytea using decode(substr(tx, 3), 'hex'),
  alter column request_hash type bytea using decode(substr(request_hash, 3), 'hex'),
  alter column nonce type bytea using decode(substr(nonce, 3), 'hex'),
  alter column model_id type bytea using decode(substr(model_id, 3), 'hex'),
  add column package_id bytea,
  add column response_hash bytea;

alter table journal alter column hash type bytea using decode(substr(hash, 3), 'hex');

alter table paid_queries
  alter column tx type bytea using decode(substr(tx, 3), 'hex'),
  alter column model_id type bytea using decode(substr(model_id, 3), 'hex'),
  alter column request_hash type bytea using decode(substr(request_hash, 3), 'hex'),
  alter column nonce type bytea using decode(substr(nonce, 3), 'hex');
