/**
 * What the synthetic market's listings are about: topics with the words their builders describe them by, labels, and how languages are named.
 * Written without the needs of needs.ts at hand, as builders write without knowing who will search. Knows nothing of search.
 */
export type Topic = { key: string; domain: string; says: readonly [string, string]; labels: readonly string[] }

export const topics: readonly Topic[] = [
  topic(
    'cardiology',
    'heart drugs',
    'Answers ward questions about anticoagulants and beta blockers from our formulary',
    'Cardiac medication guidance with the page quoted',
  ),
  topic(
    'diabetes',
    'diabetes care',
    'Explains insulin adjustment and blood sugar targets',
    'Education leaflets on type 2 diabetes for nurses',
    'urgent|routine',
  ),
  topic(
    'oncology',
    'cancer pathology',
    'Reads pathology reports and gives tumour stage and margins',
    'Fields from biopsy reports',
    'stage I|stage II|stage III|stage IV',
  ),
  topic('maternity', 'maternity', 'Questions of pregnant women answered from the midwifery handbook', 'Antenatal triage messages', 'call now|today|next visit'),
  topic(
    'veterinary',
    'animal health',
    'Sorts callback notes of a veterinary surgery',
    'Livestock disease advice from extension manuals',
    'cattle|sheep|poultry|pets',
  ),
  topic(
    'tenancy',
    'tenancy law',
    'Tells landlords and tenants what their lease and the statute say',
    'Clauses of residential leases',
    'deposit|repairs|eviction|rent',
  ),
  topic(
    'contracts',
    'commercial contracts',
    'Finds clauses in supply agreements and names their kind',
    'Contract review: indemnity, termination, liability',
    'indemnity|termination|liability|assignment',
  ),
  topic(
    'immigration',
    'immigration',
    'Explains residence permits and asylum procedure from official circulars',
    'Which form an applicant needs',
    'asylum|family|work|study',
  ),
  topic(
    'labour',
    'employment law',
    'Answers on dismissal, notice periods and overtime from the labour code',
    'Classifies workplace disputes',
    'dismissal|wages|leave|harassment',
  ),
  topic('tax', 'tax', 'VAT and income tax rulings, with the paragraph quoted', 'Sorts expenses into tax categories', 'deductible|partly|not deductible'),
  topic(
    'banking',
    'retail banking',
    'Routes bank customer messages to the right desk',
    'Intent of card and transfer questions',
    'lost card|transfer|fees|login',
  ),
  topic(
    'insurance',
    'insurance claims',
    'Takes date, place, damage and policy number out of claim letters',
    'First sorting of motor claims',
    'glass|collision|theft|weather',
  ),
  topic(
    'complaints',
    'customer complaints',
    'Understands complaints and says what went wrong',
    'Grievances of buyers by kind and anger',
    'late|broken|rude|billing',
  ),
  topic('hotels', 'hotel reviews', 'Says which department a guest review concerns', 'Drafts polite replies to guest comments', 'rooms|kitchen|front desk|spa'),
  topic(
    'agriculture',
    'crop advice',
    'Advice on maize pests and fertiliser from extension bulletins',
    'Farmers’ text messages by subject',
    'pests|weather|prices|loans',
  ),
  topic('coffee', 'coffee growing', 'Answers smallholders on pruning, borer and leaf rust', 'Coffee cupping notes into attributes', 'acidity|body|defect'),
  topic('school', 'school teaching', 'Marks short essays as our teachers did', 'Explains fractions to pupils of year five', 'A|B|C|D'),
  topic(
    'construction',
    'building code',
    'Paragraphs of the building code on stairs, fire doors and loads',
    'Structural site reports into defects',
    'crack|damp|fixings|fire stop',
  ),
  topic('rail', 'railway maintenance', 'Codes track inspection notes', 'Fault reports of rolling stock by component', 'brakes|doors|pantograph|wheels'),
  topic(
    'cyber',
    'security incidents',
    'Labels alerts of a security operations centre',
    'Extracts indicators from incident tickets',
    'phishing|malware|false alarm',
  ),
  topic('software', 'software support', 'Sorts bug reports by component', 'Answers questions on our API from its manual', 'bug|question|feature'),
  topic('news', 'news topics', 'Topic of newspaper articles', 'Shortens press articles into two lines', 'politics|sports|business|culture'),
  topic('museum', 'museum texts', 'Rewrites exhibition labels in easy language', 'Catalogue cards into fields', 'painting|textile|coin'),
  topic('recipes', 'recipes', 'Ingredients and amounts out of cookbooks', 'Allergens in dishes', 'gluten|nuts|milk|egg'),
  topic(
    'energy',
    'wind turbines',
    'Service reports of wind turbines into component and cause',
    'Fault answers from the turbine manual',
    'gearbox|blade|converter',
  ),
]

function topic(key: string, domain: string, one: string, other: string, labels = ''): Topic {
  return { key, domain, says: [one, other], labels: labels ? labels.split('|') : [] }
}

/** Tag and name; the first are the more frequent. */
export const languages: readonly (readonly [tag: string, name: string])[] = [
  ['en', 'English'],
  ['es', 'Spanish'],
  ['fr', 'French'],
  ['de', 'German'],
  ['pt', 'Portuguese'],
  ['sw', 'Swahili'],
  ['hi', 'Hindi'],
  ['id', 'Indonesian'],
  ['ha', 'Hausa'],
  ['yo', 'Yoruba'],
  ['ar', 'Arabic'],
  ['tr', 'Turkish'],
  ['vi', 'Vietnamese'],
]
