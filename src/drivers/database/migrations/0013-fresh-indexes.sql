-- A search would otherwise read what waits to be put into these, row by row.
alter index market_terms_like set (fastupdate = off);
alter index market_listings_search set (fastupdate = off);
select gin_clean_pending_list('market_terms_like');
select gin_clean_pending_list('market_listings_search');
