/** `npm start`: everything, from a fresh clone. The same as `modelfactory up --examples`; further flags are passed on. */
process.argv.splice(2, 0, 'up', ...(process.argv.includes('--no-examples') ? [] : ['--examples']))
await import('./modelfactory.mjs')
