/**
 * Adds to package-lock.json the optional platform packages that a partial registry left out, so that `npm ci` takes the
 * lockfile and other platforms find theirs. Versions come from the packages that name them; `os`, `cpu` and `libc` from their
 * names, which is how these packages are named. Run after `npm install` behind such a registry; changes nothing else.
 */
import { readFileSync, writeFileSync } from 'node:fs'

const path = new URL('../package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(path, 'utf8'))
const systems = {
  darwin: 'darwin',
  mac: 'darwin',
  win32: 'win32',
  win: 'win32',
  linux: 'linux',
  android: 'android',
  freebsd: 'freebsd',
  netbsd: 'netbsd',
  openbsd: 'openbsd',
  openharmony: 'openharmony',
  sunos: 'sunos',
  aix: 'aix',
}
const processors = {
  arm64: 'arm64',
  x64: 'x64',
  amd64: 'x64',
  arm: 'arm',
  armv7l: 'arm',
  ia32: 'ia32',
  riscv64: 'riscv64',
  loong64: 'loong64',
  mips64el: 'mips64el',
  ppc64: 'ppc64',
  s390x: 's390x',
}
let added = 0
for (const [where, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    // Found the way Node resolves: in the package's own node_modules, then in each folder above it.
    let folder = where
    let found = false
    for (;;) {
      if (lock.packages[`${folder ? `${folder}/` : ''}node_modules/${name}`]) found = true
      if (found || folder === '') break
      folder = folder.includes('/node_modules/') ? folder.slice(0, folder.lastIndexOf('/node_modules/')) : ''
    }
    if (found) continue
    const words = name.split(/[/-]/)
    const os = words.map((word) => systems[word]).find(Boolean)
    const cpu = words.map((word) => processors[word]).find(Boolean)
    if (!os || !/^\d/.test(version)) {
      console.error(`${name}@${version}: not a platform package by its name; left out.`)
      continue
    }
    const libc = words.some((word) => word.startsWith('musl')) ? 'musl' : words.some((word) => word.startsWith('gnu')) && os === 'linux' ? 'glibc' : undefined
    lock.packages[`node_modules/${name}`] = {
      version,
      ...(cpu ? { cpu: [cpu] } : {}),
      ...(entry.dev ? { dev: true } : {}),
      ...(libc ? { libc: [libc] } : {}),
      optional: true,
      os: [os],
    }
    added++
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
console.log(`${added} platform packages added.`)
