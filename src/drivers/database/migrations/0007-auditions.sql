-- What somebody who brought cases of their own chose, unseen whose answers they were, and paid for.
create table market_verdicts (
  id text primary key,
  payer text not null,
  winner text not null,
  losers text[] not null,
  cases bigint not null,
  at bigint not null
);
create index market_verdicts_at on market_verdicts (at, id);
-- Places have a further factor now, and are computed anew when the market opens.
update market_listings set place = null, score = 0, organic = 0;
