-- A payment is final when no reorganisation within the configured depth can undo it; what was settled before is on the embedded chain.
alter table payments add column final boolean not null default false;
update payments set final = true where state = 'settled';
create index payments_to_confirm on payments (created_at, key) where state = 'settled' and not final;
alter table payments add column terms text;

-- One transaction may pay for the same question twice, by two authorizations.
alter table receipts add column nonce text not null default '';
alter table receipts drop constraint receipts_tx_request_hash_key;
alter table receipts add unique (tx, request_hash, nonce);

-- QueryPaid events of final blocks: the chain itself need not keep them.
create table paid_queries (
  sequence bigint generated always as identity primary key,
  block bigint not null,
  place bigint not null,
  tx text not null,
  model_id text not null,
  payer text not null,
  builder text not null,
  amount numeric(78, 0) not null,
  request_hash text not null,
  nonce text not null,
  unique (tx, place)
);
create index paid_queries_order on paid_queries (block, place);
create index paid_queries_nonce on paid_queries (nonce);

create index journal_unmined on journal (sequence) where status is null;
