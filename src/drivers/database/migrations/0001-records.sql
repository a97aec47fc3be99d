create table builds (
  id text primary key,
  name text not null,
  words text not null,
  folder text not null,
  state text not null check (state in ('queued', 'running', 'done', 'refused', 'failed', 'cancelled')),
  events text not null,
  package_id text,
  created_at bigint not null,
  updated_at bigint not null
);

create table models (
  name text primary key,
  package_id text not null,
  model_id text unique,
  price numeric(78, 0),
  publish_tx text,
  created_at bigint not null,
  updated_at bigint not null
);

create table payments (
  key text primary key,
  model_id text not null,
  package_id text not null,
  request_hash text not null,
  payer text not null,
  builder text not null,
  amount numeric(78, 0) not null check (amount >= 0),
  "authorization" text not null,
  state text not null check (state in ('reserved', 'sending', 'settled', 'released', 'unknown')),
  answer text,
  tx text,
  created_at bigint not null,
  updated_at bigint not null
);
create index payments_state on payments (state);

create table receipts (
  sequence bigint generated always as identity primary key,
  tx text not null,
  request_hash text not null,
  model_id text not null,
  at bigint not null,
  receipt text not null,
  unique (tx, request_hash)
);
create index receipts_model on receipts (model_id, sequence);

create table journal (
  sequence bigint generated always as identity primary key,
  hash text not null unique,
  raw text not null,
  sender text not null,
  nonce bigint not null,
  purpose text not null,
  block bigint,
  timestamp bigint,
  status text check (status in ('success', 'reverted'))
);

create table settings (
  key text primary key,
  value text not null
);
