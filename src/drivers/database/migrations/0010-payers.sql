-- What an account paid is looked for whenever it pays again.
create index market_edges_payer on market_edges (payer);
