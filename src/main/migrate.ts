import { openDatabase } from '../storage/connection.ts'
import { migrateDatabase } from '../storage/migrate.ts'
import { keepPartitions } from '../storage/partitions.ts'

/** Brings a database up to date and makes the partitions of the coming days. Safe to run at any time, and twice at once. */
export async function migrate(databaseUrl: string, { retentionDays = 30 } = {}): Promise<string[]> {
  const applied = await migrateDatabase(databaseUrl)
  const database = openDatabase(databaseUrl, { connections: 1, statementTimeoutMs: 30_000, plans: 'looks' })
  try {
    await keepPartitions(database, retentionDays)
  } finally {
    await database.close()
  }
  return applied
}
