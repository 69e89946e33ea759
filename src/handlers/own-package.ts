import { registerHooks } from 'node:module'

const name = 'millrace'
let isRegistered = false

/**
 * Lets handlers outside this package's folder import it by name where they have not installed it: then they get this
 * very copy.
 */
export function resolveOwnPackage() {
  if (isRegistered) return
  isRegistered = true
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (specifier !== name && !specifier.startsWith(`${name}/`)) return nextResolve(specifier, context)
      try {
        return nextResolve(specifier, context)
      } catch (error) {
        if (context.parentURL === import.meta.url) throw error
        return { url: import.meta.resolve(specifier), shortCircuit: true }
      }
    },
  })
}
