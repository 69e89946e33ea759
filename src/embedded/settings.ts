/** The server's settings, given on its command line so that they are the same for new and old data directories. */
export const serverSettings: Readonly<Record<string, string>> = {
  // Nobody but this machine, and by password: a socket file would have to live in a folder of limited path length.
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  // Some api and worker processes with pools of ten each, and a person with psql.
  max_connections: '200',

  // A 2xx is a promise that the task is on disk.
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  // Checkpoints far apart: each makes the next change of every page write the whole page to the log.
  checkpoint_timeout: '15min',
  checkpoint_completion_target: '0.9',
  max_wal_size: '4GB',
  min_wal_size: '256MB',
  // wal_compression stays off: these binaries know only pglz, which costs more CPU than the bytes are worth.
  wal_buffers: '16MB',

  // What is hot (ledger, counters, the newest tasks) fits; the rest is the system's cache.
  shared_buffers: '256MB',
  work_mem: '16MB',
  maintenance_work_mem: '128MB',
  // Disks without heads.
  random_page_cost: '1.1',
  // Statements of some milliseconds: compiling them takes longer than running them.
  jit: 'off',

  // Ledger and counters are small and change all the time: vacuum them soon and without pauses.
  autovacuum_naptime: '10s',
  autovacuum_vacuum_cost_delay: '0',

  // A client that vanished without a word: found after 10 s + 3 × 5 s instead of two hours.
  tcp_keepalives_idle: '10',
  tcp_keepalives_interval: '5',
  tcp_keepalives_count: '3',

  timezone: 'UTC',
  log_timezone: 'UTC',
  // The log is for a person who looks for a fault. Statements can hold payloads, which do not belong there.
  log_checkpoints: 'off',
  log_min_error_statement: 'panic',
}

/**
 * The whole environment of PostgreSQL's processes. Without the allocator's settings a backend gives its memory
 * back after each statement of some hundred rows and asks for it again: three times the CPU, measured.
 */
export function serverEnvironment(): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    LC_ALL: 'C',
    MALLOC_TRIM_THRESHOLD_: '67108864',
    MALLOC_MMAP_THRESHOLD_: '33554432',
    MALLOC_TOP_PAD_: '4194304',
    ...(process.platform === 'win32' && process.env.SystemRoot ? { SystemRoot: process.env.SystemRoot } : {}),
  }
}

export function settingArguments(overrides: Readonly<Record<string, string>> = {}): string[] {
  return Object.entries({ ...serverSettings, ...overrides }).flatMap(([name, value]) => [
    '-c',
    `${name}=${value}`,
  ])
}
