-- Failures that are alike, newest first.
create index stopped_alike on stopped (fingerprint, task_id) where fingerprint is not null;
