-- Who is to be told of the end of a batch. Only batches that were submitted with a callbackUrl have a row here.
create table batch_callbacks (
  batch_id uuid primary key,
  url text not null,
  queue text not null,
  told_at timestamptz
);
create index batch_callbacks_waiting on batch_callbacks (batch_id) where told_at is null;

comment on column batch_callbacks.queue is 'Where the delivery waits: that of the first task of the batch.';
comment on column batch_callbacks.told_at is 'When the delivery was made, which is once, whatever is retried later.';
