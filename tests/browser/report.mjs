// Counts what was checked and keeps what failed, so that one failure does not
// hide the next.
const failures = []
let checked = 0

/** Longest time of one check, milliseconds. */
const PATIENCE = 90_000

/** Runs one check; it fails by throwing, or by taking too long. */
export const check = async (name, run) => {
  checked += 1
  try {
    let timer
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`took more than ${PATIENCE / 1000} s`)), PATIENCE)
    })
    await Promise.race([Promise.resolve().then(run), late]).finally(() => clearTimeout(timer))
  } catch (error) {
    failures.push(name)
    console.log(`FAILED ${name}\n    ${String(error.message ?? error).replaceAll('\n', '\n    ')}`)
  }
}

export const expect = (condition, otherwise) => {
  if (!condition) throw new Error(otherwise)
}

/** Says how it went; the exit status of the whole. */
export const conclude = () => {
  console.log(`${checked - failures.length} of ${checked} checks passed`)
  if (checked === 0) console.log('nothing was checked')
  return failures.length === 0 && checked > 0 ? 0 : 1
}
