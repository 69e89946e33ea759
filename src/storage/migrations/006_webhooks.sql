-- Who is to be told of the end of a task. Only tasks that were submitted with a callbackUrl have a row here.
create table callbacks (
  task_id uuid primary key,
  url text not null,
  told_at timestamptz
);
create index callbacks_waiting on callbacks (task_id) where told_at is null;

comment on column callbacks.told_at is 'When the delivery of the present final status was made. Null again once the task is retried.';
