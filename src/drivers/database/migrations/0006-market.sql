-- The market: listings as the chain's events and the packages make them, and what people look for.
create extension if not exists pg_trgm;
create table market_state (key text primary key, value text not null);
create table market_listings (
  model_id text primary key,
  owner text not null,
  payout text not null,
  builders text not null,
  price numeric(78, 0) not null,
  rise numeric(78, 0),
  rise_at bigint,
  version bigint not null,
  package_id text,
  report_id text,
  retired boolean not null default false,
  registered_at bigint not null,
  described text,
  facts text,
  task text,
  languages text[] not null default '{}',
  domain text,
  base text,
  licences text[] not null default '{}',
  verdict text,
  quality real not null default 0,
  latency real,
  root text,
  search tsvector,
  score real not null default 0,
  organic real not null default 0,
  place text,
  answered bigint not null default 0,
  failed bigint not null default 0,
  hidden boolean not null default false
);
create index market_listings_search on market_listings using gin (search);
create index market_listings_score on market_listings (score desc, model_id);
create index market_listings_package on market_listings (package_id) where described is distinct from package_id || ':' || report_id;
create table market_history (
  model_id text not null,
  block bigint not null,
  place bigint not null,
  at bigint not null,
  kind text not null,
  body text not null,
  primary key (block, place)
);
create index market_history_model on market_history (model_id, block, place);
create table market_exams (
  model_id text not null,
  root text not null,
  committed_at bigint not null,
  attempts bigint not null default 0,
  primary key (model_id, root)
);
create table market_edges (
  model_id text not null,
  payer text not null,
  queries bigint not null,
  amount numeric(78, 0) not null,
  days bigint not null,
  first_day bigint not null,
  last_day bigint not null,
  primary key (model_id, payer)
);
create table market_funding (account text primary key, giver text not null);
create table market_terms (term text primary key, listings bigint not null);
create index market_terms_like on market_terms using gin (term gin_trgm_ops);
create table market_searches (words text not null, tags text not null, searches bigint not null, found bigint not null, last bigint not null, primary key (tags, words));
create table market_wanted (id text primary key, at bigint not null, tags text[] not null, body text not null);
create table market_reviews (id text primary key, model_id text not null, at bigint not null, body text not null);
create index market_reviews_model on market_reviews (model_id, at desc);
create table market_reports (sequence bigint generated always as identity primary key, model_id text not null, at bigint not null, body text not null);
