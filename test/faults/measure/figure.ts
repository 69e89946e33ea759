/** A promise in numbers, measured by one command. */
export type Figure = {
  /** As it is chosen on the command line: `postgresql-restart`. */
  name: string
  /** What is to be reached, in words. */
  goal: string
  /** Why it cannot be measured on this machine, or undefined when it can. */
  missing?(): string | undefined
  /** `scale` below 1 makes a shorter run of the same kind. */
  measure(options: { scale: number; seed: number; say: (line: string) => void }): Promise<Reading>
}

export type Reading = {
  met: boolean
  /** One line for people: what was reached, how often measured. */
  text: string
  /** The numbers behind it. */
  values: Record<string, number | string | readonly number[]>
}
