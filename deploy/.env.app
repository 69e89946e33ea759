# The settings of the api and worker processes; docs/running.md has all of them.
# CHANGE the password and the key: these are examples, and everybody can read them.

DATABASE_URL=postgres://millrace:change-this-password@postgres:5432/millrace
AMQP_URL=amqp://millrace:change-this-password@rabbitmq:5672

# Inside of the container every address; compose.yaml says who may reach it from outside. It takes API_KEYS.
HOST=0.0.0.0
API_KEYS=change-this-key

TASKS=/tasks
QUEUES=default
CONCURRENCY=1000

# compose.yaml has a stop_grace_period that is longer.
SHUTDOWN_GRACE_MS=30000
RETENTION_DAYS=30

LOG_LEVEL=info
LOG_FORMAT=json
