-- Questions that a model had no answer to, of callers who allow its builder to read them.
create table market_gaps (
  id text primary key,
  model text not null,
  body text not null,
  times bigint not null,
  last bigint not null
);
create index market_gaps_model on market_gaps (model, last desc);
