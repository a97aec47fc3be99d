/**
 * English words that never name a subject: verbs, adverbs, numbers, times, feelings, the words of a request. Data.
 * Knows nothing of how a subject is chosen.
 */

const words = `
want need like would should could please kind type these those them they some something come cover see here there their which what when where whatever will just really very
much many more most less same every each one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million
dozen year month week day hour minute morning evening night tonight today tomorrow yesterday monday tuesday wednesday thursday friday saturday sunday january february march april may
june july august september october november december spring summer autumn winter weekend daily weekly monthly yearly annual old new last first second third fourth next long short good
well also only never always know say said get got give gave make made find found take took taken use used using put work worked file folder attached enclosed pdf csv xlsx docx json
excel spreadsheet column row example sample open fine help helps helped thanks thank hello hey okay run big plain word sentence paragraph line list data bot chatbot assistant model tool
system machine app software program price cost pay paid own our ours mine his her hers its you your yours who whom whose how why not nor but because since than then too out over under
into onto from with without within about after before while until against between among through during both either neither other another any all none half such even still yet already
again back down off away around near far per via etc automatically thing things stuff bit lot lots plenty based hand typed type filled fill done right wrong true false yes no go goes
going went wanted needed must might can cannot been being was were are is am have has had having does did doing that this the and for someone somebody anyone anybody everyone everybody
nobody nothing anything everything people person guy folks ask asks asked asking answer answers answered answering question tell tells told telling write writes wrote written writing
send sends sent sending read reads reading look looks looked looking keep keeps kept keeping call calls called calling ring rings rang phone phones phoned come comes came coming turn
turns turned turning pull pulls pulled pulling pick picks picked build builds built create produce produces want wish wishes hope hopes think thinks thought believe try tries tried
trying let lets say says saying talk talks speak speaks spoke show shows showed explain explains explained mean means meant start starts started stop stops stopped begin begins end ends
stay stays stand stands sit sits live lives leave leaves left arrive arrives arrived land lands happen happens happened seem seems feel feels become becomes became bring brings brought
hold holds held carry carries carried grow grows grew follow follows followed move moves moved change changes changed add adds added check checks checked sort sorts sorted sorting tag
tags tagged label labels labelled labeled classify classifies classified classification extract extracts extracted translate translates translated summarise summarize summarised rewrite
rewrites rewritten rephrase simplify simplified shorten condense convert converts converted decide decides decided triage route routes routed flag flags flagged mark marks marked match
matches predict predicts forecast judge judges detect recognise recognize identify identified screen screens spot spots draft drafts drafted compose generate generates cite cites cited
quote quotes quoted refuse refuses refuer pay pays buy buys sell sells bought sold cost costs spend spends save saves waste wastes lose loses lost miss misses missed happen wonder wonders
worry worries care cares love loves hate hates enjoy mind minds matter matters count counts depend depends belong belongs apply applies applied concern concerns involve involves include
includes including contain contains consist exist exists exact exactly maybe perhaps probably possibly usually often sometimes mostly mainly rarely hardly nearly almost quite rather
pretty fairly simply quickly slowly fast slow quick instant instantly immediately soon later ever once twice instead otherwise however though although unless whether cause though
actually honestly basically literally seriously frankly obviously certainly sure certain able available ready busy free full empty clean dirty easy hard difficult simple complex
possible impossible better best worse worst great nice lovely bad terrible horrible awful big large small little tiny huge high low early late recent current past future whole entire
several few various different similar identical single double main important urgent boring tedious messy weird strange funny friendly formal casual gentle warm brief concise sober
neutral polite professional patient kind calm strict dry playful standard normal usual typical common general special specific particular correct incorrect proper wrong missing
english spanish french german language languages text texts format output input result results version versions copy copies set sets group groups part parts piece pieces side sides
way ways case cases point points place places level levels number numbers amount amounts total name names date dates time times address value values code codes reason reasons kind kinds
category categories class classes topic topics field fields max maximum minimum limit budget cent cents euro euros dollar dollars percent server servers laptop computer network internet
offline cloud private confidential local locally online website site page pages section sections chapter chapters source sources reference references link links scan scans scanned
assistant helper helpers hi dear sir madam thanks cheers regards sorry btw lol asap fyi tbh imho ones others else each self itself themselves myself yourself job hand hands head heads eye eyes
us we me my she him her it he they'd i'd i've i'm we're they're you're don't doesn't didn't won't can't isn't aren't it's that's there's what's let's i'll we'll wouldn't shouldn't couldn't
wants needs gets gives makes takes finds uses puts works helps runs knows comes sees having getting giving making taking finding putting helping running knowing seeing
straight enough further ahead along across behind beside besides beyond inside outside upon toward towards together apart anyway anyhow anywhere everywhere somewhere nowhere
roughly approximately around basically apiece respectively plus minus times versus thus hence therefore meanwhile currently previously formerly originally finally eventually
sum sums stated mentioned listed named given shown known seen heard gone turned become meant pasted paste attach attaches include attached upload uploaded mostly sometimes
english-speaking spoken hundreds thousands millions dozens couple couples handful pair pairs half quarter majority rest remainder extra additional previous following above below
officer officers clerk rep reps superintendent trainer owner owners colleague colleagues member members volunteer volunteers niece nephew father mother wife husband boss manager managers scale null unit range practice practise office offices team teams national committee useful mixed raw outgoing incoming transcribed digitised various handful rambling tidy decent proper rough anonymous final grower growers keeper keepers upcoming late-night two-line one-line first-year non line mess pile heap box boxes folk lady guy gang crew niece uncle aunt cousin kid kids secretary stuff mood taste style style sue catch mend drop push hit cut set broke break broken fix fixes fixed hurt hurts supposed suppose gather gathers serve serves served teach teaches taught learn learns learned learnt train trains trained treat treats treated feed feeds fed grow eat eats ate drink drinks save draw draws drew host hosts handle handles handled deal deals dealt manage manages managed maintain maintains maintained publish publishes published print prints printed repair receive receives received collect collects collected scribble scribbles correspond corresponds return returns forward forwards approve approves approved reject rejects rejected accept accepts accepted confuse confuses pick picks drown drowning drowns struggle struggles suffer suffers insist insists promise promises expect expects refer refers supply supplies supplied provide provides provided offer offers offered prefer prefers tidy sorry whole fits fit whichever whoever whenever wherever covered covers covering behave behaves supposed meant retired tired young older younger adult adults busy
`
export const dullWords: ReadonlySet<string> = new Set(words.split(/\s+/).filter(Boolean))

/** Words in -ing and -ed that are nouns. */
export const nounsInIng: ReadonlySet<string> = new Set(
  'meeting wedding building housing nursing planning training mining farming fishing parking knitting clothing lighting heating plumbing beekeeping hearing bearing filing billing banking boarding bedding gardening catering cleaning coaching cooking counselling counseling crossing dredging drilling driving dwelling engineering feeding fencing flooring funding gaming grazing hiking hunting landing laundering lending licensing logging manufacturing marketing milling mooring mountaineering opening painting piping pricing printing publishing racing recycling referee roofing sailing scheduling screening shipping singing skiing spelling staffing swimming tailoring tuning tutoring welding wiring wrestling conveyancing breeding brewing climbing weaving seed weed feed need bread shed breed'.split(
    ' ',
  ),
)

/** What is better said by another word. */
export const betterWords: Record<string, string> = {
  inbox: 'email',
  mail: 'email',
  mails: 'emails',
  vet: 'veterinary',
  vets: 'veterinary',
  bee: 'beekeeping',
  bees: 'beekeeping',
  beekeeper: 'beekeeping',
  lawyer: 'legal',
  lawyers: 'legal',
  attorney: 'legal',
  notary: 'notarial',
  midwife: 'midwifery',
  midwives: 'midwifery',
  pharmacist: 'pharmacy',
  librarian: 'library',
  archaeologist: 'archaeology',
  dentist: 'dental',
  accountant: 'accounting',
  bookkeeper: 'bookkeeping',
  electrician: 'electrical',
  plumber: 'plumbing',
  farmer: 'farming',
  fisherman: 'fishing',
  teacher: 'teaching',
  pathologist: 'pathology',
  radiologist: 'radiology',
  geologist: 'geology',
  botanist: 'botany',
  meteorologist: 'weather',
  psychologist: 'psychology',
  surveyor: 'surveying',
  translator: 'translation',
}
