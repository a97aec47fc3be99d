-- What builders say of themselves; nobody has checked it.
create table market_builders (
  address text primary key,
  at bigint not null,
  body text not null
);
create index market_listings_owner on market_listings (lower(owner));
