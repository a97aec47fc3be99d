-- How each listing answered, day by day, and in which minutes of each hour this gateway was there.
create table market_served (
  model_id text not null,
  day bigint not null,
  answered bigint not null default 0,
  failed bigint not null default 0,
  times bigint[] not null,
  primary key (model_id, day)
);
create table market_up (hour bigint primary key, minutes bigint not null);
