import type { Finding, SettingReport } from '../domain/system.ts'
import { type Config, describeConfig } from '../runtime/config.ts'
import { brokerFindings } from './doctor/broker.ts'
import { databaseFindings } from './doctor/database.ts'
import { machineFindings } from './doctor/machine.ts'
import { settingsGiven } from './environment.ts'

/** What `millrace doctor` looks at, but for the port, which this process has. */
export async function checkSystem(config: Config): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const checks of [machineFindings(config), databaseFindings(config), brokerFindings(config)])
    for await (const finding of checks) findings.push(finding)
  return findings
}

/**
 * The settings in force and where each came from; secrets are masked. The process that started this one has handed down all
 * of them, and has said which were given to it.
 */
export function settingReports(config: Config): SettingReport[] {
  const given = settingsGiven()
  return describeConfig(config, process.env).map((report) =>
    given === undefined || given.has(report.variable) ? report : { ...report, source: 'default' },
  )
}
