// Starts the built program on a free port with a folder of its own, and ends it.
import { spawn, execFileSync } from 'node:child_process'
import { createServer } from 'node:net'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })

/** A running service: its address, tokens, and how to end it. */
export const start = async (program) => {
  const folder = mkdtempSync(join(tmpdir(), 'insites-browser-'))
  const data = join(folder, 'data')
  const port = await freePort()
  const log = join(folder, 'log')
  const out = openSync(log, 'w')
  const child = spawn(program, ['serve', '--data', data, '--listen', `127.0.0.1:${port}`], {
    cwd: folder,
    stdio: ['ignore', out, out]
  })
  const base = `http://127.0.0.1:${port}`
  const stop = async () => {
    if (child.exitCode === null) {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await Promise.race([ended, pause(25_000)])
      if (child.exitCode === null) child.kill('SIGKILL')
    }
    rmSync(folder, { recursive: true, force: true })
  }
  // Ready means also that meaning is known: pages look as they will look.
  for (let tries = 0; ; tries += 1) {
    if (child.exitCode !== null || tries > 600) {
      const said = readFileSync(log, 'utf8')
      await stop()
      throw new Error(`the service did not become ready: ${said.slice(-2000)}`)
    }
    try {
      const answer = await fetch(base + '/readyz')
      const { ready, documents, embedded } = await answer.json()
      if (answer.ok && ready && documents === embedded) break
    } catch {
      // It does not listen yet.
    }
    await pause(500)
  }
  const token = (name, role, site) =>
    execFileSync(program, ['token', 'add', name, '--role', role, '--data', data, ...(site ? ['--site', site] : [])], {
      cwd: folder,
      encoding: 'utf8'
    }).trim()
  return { base, token, stop }
}
