-- What builders say of themselves; nobody has checked it.
create table market_builders (
  address text primary key,
  at bigint not null,
  body text not null
);
