/**
 * The command line: `modelfactory` and its commands. Parses, calls the server, prints, sets the exit code:
 * 0 done, 1 refused with a reason, 2 wrong usage. Knows nothing of how anything is done.
 */
import { Command, CommanderError, Option } from 'commander'
import { BaseError, isRefusal, RefusedError } from '../../core/errors.ts'
import { EXPORT_KINDS } from '../../core/export.ts'
import { readConfig } from '../../factory/config.ts'
import { type AuditionFlags, audition } from './audition.ts'
import { printBases } from './bases.ts'
import { type BenchFlags, bench } from './bench.ts'
import { type BountyFlags, bounty, type OfferFlags } from './bounty.ts'
import { ask, type BuildFlags, build, earnings, list, publish, query } from './commands.ts'
import type { Context } from './connect.ts'
import { examCases, type RunFlags, runExam, showExam, verifyExamPapers } from './exam.ts'
import { exportModel } from './export.ts'
import { gaps } from './gaps.ts'
import { recompute, type SearchFlags, search, show, want } from './market.ts'
import { type PlanFlags, plan, ready, refine } from './plan.ts'
import { printer } from './print.ts'
import { type ProfileFlags, profile } from './profile.ts'
import { type DataFlags, data, type FixFlags, fix, quotations, rebuild } from './review.ts'
import { type ShareFlags, share } from './share.ts'
import { up } from './up.ts'
import { type VerifyFlags, verify } from './verify.ts'
import { walletAddress, walletBalance, walletExport, walletImport, walletList, walletUnwrap } from './wallet.ts'
import { webhook } from './webhook.ts'

type Flags = { json?: boolean; data?: string; url?: string }

/** Exit codes, as scripts rely on them. */
const REFUSED = 1
const WRONG_USAGE = 2

/** Ten days, the longest training a server accepts. */
const MOST_MINUTES = 14_400

const BASE_HELP = 'base model: a GGUF file, or hf:owner/name[:file] (see: modelfactory bases; default: ours)'

const EXAM_HELP = 'an official test set: it is the exam, and the other files are for training and practice'
const COLUMN_HELP = 'which column is what, e.g. text=Body or table.csv:label=Kind; may be said several times'
const MASK_HELP = 'replace personal data (mails, phones, ids, cards, announced names) by its kind'

const program = new Command('modelfactory')
  .description('Describe a model in plain words, hand over documents or examples, and be paid for every query it answers.')
  .exitOverride()
  .showHelpAfterError('(add --help for the options)')

function command(usage: string, description: string): Command {
  return program
    .command(usage)
    .description(description)
    .option('--json', 'print one JSON object as the last line')
    .option('--data <folder>', 'data folder (or MODELFACTORY_DATA; default .modelfactory in the clone)')
    .exitOverride()
}
const talking = (usage: string, description: string) => command(usage, description).option('--url <url>', 'a running server (or MODELFACTORY_URL)')

/** Runs a command's work with its context; refusals are printed and end with exit code 1. */
async function run(flags: Flags, work: (context: Context) => Promise<unknown>): Promise<void> {
  const out = printer(flags.json === true)
  const config = readConfig({ data: flags.data })
  if (isRefusal(config)) {
    out.refusal(config)
    process.exitCode = REFUSED
    return
  }
  try {
    const outcome = await work({ config, out, url: flags.url ?? process.env.MODELFACTORY_URL })
    if (!isRefusal(outcome)) return
    out.refusal(outcome)
  } catch (error) {
    if (error instanceof RefusedError) out.refusal(error.refusal)
    else {
      const hints = error instanceof BaseError ? error.hints.join(' ') : ''
      out.refusal({ refused: true, code: 'fault', message: error instanceof Error ? error.message : String(error), hint: hints })
      if (process.env.MODELFACTORY_DEBUG) console.error(error)
    }
  }
  process.exitCode = REFUSED
}

command('up', 'serve the gateway and the studio until stopped')
  .option('--host <address>', 'address to listen on (default 127.0.0.1)')
  .option('--port <number>', 'port to listen on (default 4020)', wholeNumber)
  .option('--base <base>', BASE_HELP)
  .option('--examples', 'first run the three examples through the whole loop')
  .option('--no-examples', 'only serve')
  .action((flags: Flags & { host?: string; port?: number; base?: string; examples?: boolean }) =>
    run(flags, ({ out }) => {
      const config = readConfig({ data: flags.data, host: flags.host, port: flags.port, base: flags.base })
      return isRefusal(config) ? Promise.resolve(config) : up({ config, out, examples: flags.examples === true })
    }),
  )
talking('plan <words> [files...]', 'turn a description, and files if given, into a plan: what it would do, what it assumes, what it asks')
  .option('--files <folder>', 'folder with your documents or table')
  .option('--save <file>', 'write the plan to a file, for refine and build --plan')
  .option('--exam <file>', EXAM_HELP)
  .option('--column <role=name>', COLUMN_HELP, several, [])
  .option('--mask', MASK_HELP)
  .action((words: string, files: string[], flags: Flags & PlanFlags & { files?: string }) =>
    run(flags, (context) => plan(context, words, flags.files === undefined ? files : [flags.files, ...files], flags)),
  )
talking('ready <words>', 'say how good a model would be with what you have, and what more examples would do')
  .requiredOption('--files <folder>', 'folder with your documents or table')
  .option('--exam <file>', EXAM_HELP)
  .option('--column <role=name>', COLUMN_HELP, several, [])
  .option('--mask', MASK_HELP)
  .action((words: string, flags: Flags & PlanFlags & { files: string }) => run(flags, (context) => ready(context, words, flags)))
talking('refine <plan> <words>', 'change a saved plan in your own words, and see what changed').action((file: string, words: string, flags: Flags) =>
  run(flags, (context) => refine(context, file, words)),
)
talking('build <words>', 'build a model from a description and files: specification, dataset, training, exam, package')
  .requiredOption('--files <folder>', 'folder with your documents or table')
  .option('--plan <file>', 'a plan saved by plan --save, as refined')
  .option('--exam <file>', EXAM_HELP)
  .option('--column <role=name>', COLUMN_HELP, several, [])
  .option('--mask', MASK_HELP)
  .option('--yes', 'do not ask whether the exam is fair')
  .option('--name <name>', 'name of the model (default: made from the words)')
  .option('--base <base>', BASE_HELP)
  .option('--minutes <number>', 'time budget of the whole build: search for settings, training, exam, serving check', positive)
  .option('--recipe <json>', 'settings of the training that are not to be chosen, e.g. {"method":"full"}', jsonObject)
  .action((words: string, flags: Flags & BuildFlags) => run(flags, (context) => build(context, words, flags)))
talking('ask <model> <text>', 'ask your own model, free').action((model: string, text: string, flags: Flags) =>
  run(flags, (context) => ask(context, model, text)),
)
talking('publish <model>', 'put a model on chain at a price per query')
  .requiredOption('--price <open>', 'price of one query in OPEN, e.g. 0.01')
  .addOption(new Option('--abstention <cost>', 'what "not covered" costs its payer').choices(['free', 'paid']))
  .option('--free <questions>', 'questions a visitor may ask a day before paying, 0 to 100')
  .action((model: string, flags: Flags & { price: string; abstention?: 'free' | 'paid'; free?: string }) =>
    run(flags, (context) => publish(context, model, flags)),
  )
talking('query <model> <text>', 'ask a published model and pay its builder by x402 from a local wallet')
  .option('--wallet <name>', 'wallet of the data folder that pays', 'payer')
  .option('--maximum <open>', 'largest amount this query may cost', '1')
  .option('--passport <file>', 'also write the passport of the answer, with question and answer in it')
  .option('--let-builder-read', 'if the model has no answer, its builder may read the question, to improve it')
  .action((model: string, text: string, flags: Flags & { wallet: string; maximum: string; passport?: string; letBuilderRead?: boolean }) =>
    run(flags, (context) => query(context, model, text, flags)),
  )
talking('export <model>', 'write a model in the form of other software: llama.cpp, transformers, Ollama')
  .requiredOption('--as <kind>', `one of ${EXPORT_KINDS.join(', ')}`)
  .requiredOption('--to <folder>', 'folder for the files; made when missing')
  .action((model: string, flags: Flags & { as: string; to: string }) => run(flags, (context) => exportModel(context, model, flags)))
command('verify <passport>', 'check an answer passport: offline, or against a node')
  .option('--rpc <url>', 'a node of the chain, asked for the hashes of two blocks')
  .option('--header <hex...>', 'hashes (or RLP headers) of blocks you trust: of the payment, and of the publication')
  .option('--request <file>', 'the body that was sent, byte for byte')
  .option('--answer <file>', 'the reply that came, as JSON')
  .option('--gateway <address>', 'the gateway that must have signed')
  .option('--router <address>', 'the router to believe, where it is not the one of this version')
  .action((file: string, flags: Flags & VerifyFlags) => run(flags, (context) => verify(context, file, flags)))
talking('data <model>', 'the examples of a model with their sources; correct, remove or add one')
  .option('--part <part>', 'training, practice or exam (default training)')
  .option('--find <words>', 'only examples that hold these words')
  .option('--limit <number>', 'how many (default 50)')
  .option('--offset <number>', 'from which on (default 0)')
  .option('--correct <id>', 'the example that is wrong; say with --to what is right')
  .option('--remove <id>', 'an example that is to go')
  .option('--add <text>', 'a text or question to add; say with --to what is right')
  .option('--to <outcome>', 'the right label, answer, text, or JSON of what stands in the text')
  .action((model: string, flags: Flags & DataFlags) => run(flags, (context) => data(context, model, flags)))
talking('fix <model>', 'put one wrong answer right: a quick build, and what else it would change, before you accept it')
  .option('--question <text>', 'the question or text that was answered wrongly')
  .option('--answer <outcome>', 'the right answer, label, or JSON of what stands in the text')
  .option('--accept', 'put the fixed model in place without asking')
  .option('--drop', 'give up the fix that waits, and stop its build')
  .action((model: string, flags: Flags & FixFlags) => run(flags, (context) => fix(context, model, flags)))
talking('rebuild <model>', 'build a model again with what you changed in its examples')
  .option('--column <role=name>', COLUMN_HELP, several, [])
  .action((model: string, flags: Flags & { column: string[] }) => run(flags, (context) => rebuild(context, model, flags.column)))
talking('quotations <model>', 'which passages strangers will see, and which documents are kept out')
  .option('--keep-out <file...>', 'documents that are not to be quoted; "" lets all in')
  .action((model: string, flags: Flags & { keepOut?: string[] }) => run(flags, (context) => quotations(context, model, flags)))
talking('search <need>', 'find models by what you need, in your own words and any language')
  .option('--task <task>', 'answer, classify, extract or transform')
  .option('--language <tag>', 'a language the model reads, e.g. ha')
  .option('--max-price <open>', 'highest price of a query in OPEN')
  .option('--min-quality <score>', 'lowest exam score it must show at least, 0 to 1')
  .option('--licence <name>', 'a licence of its data or base')
  .option('--base <name>', 'the base it was trained on')
  .option('--sort <order>', 'best, price or newest')
  .option('--limit <number>', 'how many, at most 50')
  .option('--cursor <cursor>', 'where the page before ended')
  .action((need: string, flags: Flags & SearchFlags) => run(flags, (context) => search(context, need, flags)))
talking('show <listing>', 'all that is known of a listing: exam, price, use, versions, reviews, and why it stands where it stands').action(
  (id: string, flags: Flags) => run(flags, (context) => show(context, id)),
)
talking('want [need]', 'post what you need and cannot find; without words, what others want and look for in vain')
  .option('--case <text=>answer>', 'an example, such as "my heart races => cardiology"; may be said several times', several, [])
  .option('--bounty <open>', 'money for whoever builds it: held until a model passes your sealed cases, and then paid to its builder whole')
  .option('--sealed <file>', 'at least five cases that nobody sees, "text => right answer" a line, two columns with a tab, or JSON lines')
  .option('--days <number>', 'how long the bounty can be won', '30')
  .option('--pass <score>', 'what a model must reach, of 1', '0.9')
  .action((need: string | undefined, flags: Flags & OfferFlags & { case: string[] }) => run(flags, (context) => want(context, need, flags)))
talking('bounty [id]', 'money offered for needs: all of it, or one; enter a model of yours, or take your money back')
  .option('--enter <model>', 'have your published model examined on the sealed cases; the first that passes is paid')
  .option('--withdraw', 'take the money back after the deadline; the cases become public when models were entered')
  .action((id: string | undefined, flags: Flags & BountyFlags) => run(flags, (context) => bounty(context, id, flags)))
talking('audition [need]', 'a blind audition: up to three models answer your own cases unnamed, you choose, only the chosen one is paid')
  .option('--case <text>', 'a case of yours; may be said several times, at most 20', several, [])
  .option('--cases <file>', 'a text file with one case a line')
  .option('--model <name>', 'a model to hear, in the place of a need; say it two or three times', several, [])
  .option('--pick <letter>', 'choose; the id of the audition stands in the place of the need')
  .action((need: string | undefined, flags: Flags & AuditionFlags) => run(flags, (context) => audition(context, need, flags)))
talking('earnings', 'what the builder was paid')
  .option('--export <file>', 'every payment with its day, version and proof, into a .csv or .json file')
  .action((flags: Flags & { export?: string }) => run(flags, (context) => earnings(context, flags)))
talking('gaps', 'questions your models had no answer to, of callers who allow you to read them, by topic')
  .option('--forget <model>', 'forget those of one model')
  .action((flags: Flags & { forget?: string }) => run(flags, (context) => gaps(context, flags)))
talking('share <model>', 'whom a model pays: you alone, or several people by shares that nobody can change')
  .option('--with <address=shares>', 'somebody who gets a part of every payment, such as 0x12...ef=30; may be said several times', several, [])
  .option('--mine <shares>', 'your own shares beside theirs, such as 70')
  .option('--alone', 'pay you whole and alone again')
  .option('--by-citations [percent]', 'by what the answers of its sealed exam quote of whose files (CONTRIBUTORS.txt), after so many percent for you')
  .option('--yes', 'with --by-citations: set these shares, in the place of showing them')
  .option('--send', 'send what has gathered on to all holders')
  .action((model: string, flags: Flags & ShareFlags) => run(flags, (context) => share(context, model, flags)))
talking('webhook [what]', 'an address that is told of every payment: an address to set, off, or test; without it, how it stands').action(
  (what: string | undefined, flags: Flags) => run(flags, (context) => webhook(context, what)),
)
talking('profile [name]', 'who you are as a builder, as buyers see it; without a name, what they see now')
  .option('--about <text>', 'what you do and know, in a few sentences')
  .option('--credential <title|address>', 'a qualification, and if you like an https:// page that shows it; up to five times', several, [])
  .action((name: string | undefined, flags: Flags & ProfileFlags) => run(flags, (context) => profile(context, name, flags)))
command('bases', 'bases worth starting from: size, memory, licence, languages').action((flags: Flags) => run(flags, async ({ out }) => printBases(out)))
command('bench', 'enter a program of your own for a task of the benchmark; it is given the inputs and nothing else')
  .requiredOption('--task <name>', 'name of the task')
  .requiredOption('--challenger <folder>', 'folder with a predict.mjs: {"input"} a line in, {"label"}, {"answer"} or {"entities"} a line out')
  .option('--tasks <folder>', 'folder of tasks (default: those of the repository)')
  .option('--results <file>', 'where the result is kept (default: among those of the repository)')
  .action((flags: Flags & BenchFlags) => run(flags, (context) => bench(context, flags)))
talking('list', 'the models here').action((flags: Flags) => run(flags, list))

const exam = program.command('exam').description('the sealed exam of a model: what is known of it, its papers checked, run again').exitOverride()
const market = program.command('market').description('the market: its figures read anew from the chain').exitOverride()
function onExam(usage: string, description: string): Command {
  return under(exam, usage, description)
}
function under(parent: Command, usage: string, description: string): Command {
  return parent
    .command(usage)
    .description(description)
    .option('--json', 'print one JSON object as the last line')
    .option('--data <folder>', 'data folder (or MODELFACTORY_DATA; default .modelfactory in the clone)')
    .option('--url <url>', 'a running server, or the gateway to examine (or MODELFACTORY_URL)')
    .exitOverride()
}
under(market, 'recompute', 'read the chain and the packages anew, and say whether every figure of the market follows from them').action((flags: Flags) =>
  run(flags, (context) => recompute(context)),
)
onExam('show <model>', 'what was committed on chain, attempts, scores, verdict').action((model: string, flags: Flags) =>
  run(flags, (context) => showExam(context, model)),
)
onExam('verify <what>', 'compute hashes, root, scores and intervals again from the papers of a model, a package or a file')
  .option('--rpc <url>', 'a node of the chain, asked in place of the gateway’s word')
  .option('--cases <file>', 'the opened cases, where you hold them')
  .option('--save <file>', 'also write the papers')
  .action((what: string, flags: Flags & { rpc?: string; cases?: string; save?: string }) => run(flags, (context) => verifyExamPapers(context, what, flags)))
onExam('run <model>', 'run the exam again on the model as it is served; with --budget through the paid endpoint, as an independent examiner')
  .option('--budget <open>', 'pay for each case at --url, at most this much OPEN in all')
  .option('--cases <file>', 'sealed cases of your own (default: those of this data folder)')
  .option('--limit <number>', 'how many cases, spread evenly (default: all)')
  .option('--wallet <name>', 'wallet of the data folder that pays', 'payer')
  .action((model: string, flags: Flags & RunFlags) => run(flags, (context) => runExam(context, model, flags)))
onExam('cases <model>', 'write the sealed cases of your own model, for an examiner or when the exam retires')
  .requiredOption('--to <file>', 'where to')
  .action((model: string, flags: Flags & { to: string }) => run(flags, (context) => examCases(context, model, flags)))

const wallet = program.command('wallet').description('wallets of the data folder: addresses, balances, keys in and out (always encrypted)').exitOverride()
function onWallet(usage: string, description: string): Command {
  return wallet
    .command(usage)
    .description(description)
    .option('--json', 'print one JSON object as the last line')
    .option('--data <folder>', 'data folder (or MODELFACTORY_DATA; default .modelfactory in the clone)')
    .exitOverride()
}
const PASSPHRASE_HELP = 'file that holds the passphrase (or MODELFACTORY_WALLET_PASSPHRASE)'
onWallet('list', 'names and addresses').action((flags: Flags) => run(flags, walletList))
onWallet('address [name]', 'the address of a wallet (default: payer)').action((name: string | undefined, flags: Flags) =>
  run(flags, (context) => walletAddress(context, name ?? 'payer')),
)
onWallet('unwrap <open>', 'turns so much of what the builder earned back into the coin of the chain').action((sum: string, flags: Flags) =>
  run(flags, (context) => walletUnwrap(context, sum)),
)
onWallet('balance [name]', 'what a wallet holds (default: payer)')
  .option('--url <url>', 'a running server (or MODELFACTORY_URL)')
  .action((name: string | undefined, flags: Flags) => run(flags, (context) => walletBalance(context, name ?? 'payer')))
onWallet('import <name> <file>', 'take in a key: an encrypted key file (V3), or a file with the bare key')
  .option('--passphrase-file <file>', PASSPHRASE_HELP)
  .action((name: string, file: string, flags: Flags & { passphraseFile?: string }) => run(flags, (context) => walletImport(context, name, file, flags)))
onWallet('export <name> <file>', 'write a key as an encrypted key file (V3) that other wallets read')
  .option('--passphrase-file <file>', PASSPHRASE_HELP)
  .action((name: string, file: string, flags: Flags & { passphraseFile?: string }) => run(flags, (context) => walletExport(context, name, file, flags)))

function several(text: string, before: string[]): string[] {
  return [...before, text]
}

function wholeNumber(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535)
    throw new CommanderError(WRONG_USAGE, 'modelfactory.port', `error: the port "${text}" is not a whole number from 0 to 65535`)
  return Number(text)
}

function jsonObject(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new CommanderError(WRONG_USAGE, 'modelfactory.recipe', `error: the recipe "${text}" is not JSON, such as {"method":"full","learningRate":0.0003}`)
  }
}

function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0) || value > MOST_MINUTES)
    throw new CommanderError(WRONG_USAGE, 'modelfactory.minutes', `error: "${text}" is not a number of minutes above 0 and at most ${MOST_MINUTES}`)
  return value
}

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  if (error.code.startsWith('modelfactory.')) console.error(error.message)
  process.exitCode = error.exitCode === 0 ? 0 : WRONG_USAGE
  if (process.exitCode && process.argv.includes('--json')) {
    const message = error.code === 'commander.help' ? 'No command was given.' : error.message.replace(/^error: /, '')
    printer(true).result({ error: { code: 'wrong_usage', message, hint: 'Add --help for the options.' } })
  }
}
// node-llama-cpp keeps native threads that would hold the process; everything was closed above, unless it is serving.
if (!process.env.MODELFACTORY_SERVING) process.exit()
