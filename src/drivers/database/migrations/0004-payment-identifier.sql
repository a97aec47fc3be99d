-- A payer's own name for a payment: under it they pay once, whatever they sign.
alter table payments add column identifier text;
create unique index payments_identifier on payments (payer, identifier) where identifier is not null;
