-- What "not covered" costs the payer of a model: nothing, unless its builder says otherwise.
alter table models add column abstention text not null default 'free' check (abstention in ('free', 'paid'));
