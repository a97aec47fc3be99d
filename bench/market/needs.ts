/**
 * A hundred written needs, as people type them into a search box, with what they mean: topic, language, task. Written before anything was measured
 * on them, in several languages, with mistakes people make. Knows nothing of the listings.
 */
export type Need = { text: string; topic: string; language?: string; task?: 'answer' | 'classify' | 'extract' | 'transform' }

const lines = `
cardiac drug questions|cardiology|en|answer
which blood thinner can my patient take|cardiology
heart medicine for hospital nurses in french|cardiology|fr|answer
preguntas sobre medicamentos del corazón|cardiology|es
Fragen zu Herzmedikamenten|cardiology|de|answer
cardiolgy dosage help|cardiology
dawa za moyo kwa kiswahili|cardiology|sw
insulin advice|diabetes
diabetic patients hindi|diabetes|hi
sugar disease swahili|diabetes|sw
diabète, conseils pour infirmières|diabetes|fr
diabetis triage|diabetes||classify
tumor staging from biopsy text|oncology||extract
cancer reports into a table|oncology||extract
Krebsbefunde auslesen|oncology|de|extract
oncology spanish|oncology|es
pregnancy questions yoruba|maternity|yo
midwife assistant portuguese|maternity|pt|answer
sort messages from expecting mothers by urgency|maternity||classify
embarazo dudas|maternity|es
vet clinic phone notes|veterinary||classify
sick cow advice hausa|veterinary|ha
animal doctor turkish|veterinary|tr
penyakit ternak|veterinary|id
tenant rights|tenancy
my landlord keeps the deposit, german law|tenancy|de
Mietrecht|tenancy|de
rental agreement clauses in spanish|tenancy|es
evicton notice help|tenancy
find the termination clause|contracts||extract
contract review arabic|contracts|ar
classify clauses of supplier agreements|contracts||classify
Vertragsklauseln erkennen|contracts|de|classify
contratos comerciales cláusulas|contracts|es
asylum application vietnamese|immigration|vi
visa and residence permit questions in arabic|immigration|ar|answer
titre de séjour|immigration|fr
which immigration form do I need|immigration
unfair dismissal|labour
overtime pay rules portuguese|labour|pt|answer
Kündigungsfrist Arbeitsrecht|labour|de
workplace harassment complaints sorting|labour||classify
vat rules|tax
income tax hindi|tax|hi
impuestos|tax|es
receipts into tax categories|tax||classify
Mehrwertsteuer Fragen|tax|de
bank chat routing|banking||classify
lost credit card messages indonesian|banking|id
banco mensajes de clientes|banking|es
banking intents turkish|banking|tr|classify
car accident claim letters|insurance||extract
insurance claim sorting french|insurance|fr|classify
Versicherung Schadenmeldung|insurance|de
policy number and damage from letters|insurance||extract
understands Hausa complaints|complaints|ha
angry customer emails|complaints
keluhan pelanggan|complaints|id
malalamiko ya wateja|complaints|sw
custommer complaint classifier|complaints||classify
réclamations clients|complaints|fr
hotel guest feedback by department|hotels||classify
reply to hotel reviews in portuguese|hotels|pt|transform
Hotelbewertungen|hotels|de
tourist lodging opinions spanish|hotels|es
maize disease swahili|agriculture|sw
farmer sms hausa|agriculture|ha
कृषि सलाह|agriculture|hi
crop pests yoruba|agriculture|yo
fertilizer recommendations|agriculture
coffee leaf rust|coffee
café poda y broca|coffee|es
coffee farmers in vietnamese|coffee|vi
tasting notes of coffee|coffee
grade student essays|school||classify
explain maths to children in hindi|school|hi
correction de rédactions|school|fr
teachers yoruba|school|yo
fire door regulations|construction
building regulations german|construction|de|answer
cracks and damp from site reports|construction||extract
normas de construcción|construction|es
train fault reports|rail
track inspection notes german|rail|de
railway brakes problem classification|rail||classify
phishing alert triage|cyber||classify
security incident tickets|cyber
malware french|cyber|fr
bug report sorting|software||classify
api documentation question answering|software||answer
software support turkish|software|tr
news topic swahili|news|sw|classify
summarise newspaper articles|news||transform
habari kwa mada|news|sw
berita topik|news|id
easy language museum labels french|museum|fr|transform
exhibition texts|museum
ingredients from recipes|recipes||extract
wind turbine service reports|energy
gearbox failure wind farm german|energy|de
`

export const needs: readonly Need[] = lines
  .trim()
  .split('\n')
  .map((line) => {
    const [text = '', topic = '', language, task] = line.split('|')
    return { text, topic, ...(language ? { language } : {}), ...(task ? { task: task as NonNullable<Need['task']> } : {}) }
  })
