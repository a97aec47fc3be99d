/**
 * Who the builder is, as buyers see it beside every model: written, and written anew. Shown to whoever may. Knows nothing of how it is shown there.
 */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useId, useState } from 'react'
import type { BuilderView } from '../../../src/core/market.ts'
import { ask, get } from '../fetching.ts'
import { useWords } from '../language.ts'
import { Trouble } from '../parts/fetched.tsx'

const profileWords = {
  en: {
    heading: 'How buyers see you',
    lead: 'Shown beside each of your models. People trust an expert who says who they are.',
    name: 'Your name, or your practice’s',
    about: 'What you do and know, in a few sentences',
    credentials: 'Qualifications, one a line; a page that shows it may follow after |',
    example: 'Fellow of the European Society of Cardiology | https://www.example.org/members/42',
    save: 'Show this',
    saved: 'Buyers see it now.',
  },
  es: {
    heading: 'Cómo te ven los compradores',
    lead: 'Aparece junto a cada uno de tus modelos. La gente confía en un experto que dice quién es.',
    name: 'Tu nombre, o el de tu consulta',
    about: 'Qué haces y qué sabes, en pocas frases',
    credentials: 'Títulos, uno por línea; después de | puede ir una página que lo muestre',
    example: 'Miembro de la Sociedad Europea de Cardiología | https://www.example.org/members/42',
    save: 'Mostrar esto',
    saved: 'Los compradores ya lo ven.',
  },
}

export function Profile() {
  const found = useQuery({ queryKey: ['own-builder'], queryFn: ({ signal }) => get<BuilderView>('/api/market/builder', signal), retry: false })
  // Nobody is signed in, or it is somebody else's gateway: there is nobody to introduce.
  return found.data ? <Form view={found.data} /> : null
}

function Form({ view: { profile } }: { view: BuilderView }) {
  const words = useWords(profileWords)
  const id = useId()
  const queries = useQueryClient()
  const [name, setName] = useState(profile?.name ?? '')
  const [about, setAbout] = useState(profile?.about ?? '')
  const [lines, setLines] = useState(profile?.credentials.map(({ title, url }) => (url ? `${title} | ${url}` : title)).join('\n') ?? '')
  const saving = useMutation({
    mutationFn: () => ask('PUT', '/api/market/builder', { name: name.trim(), about: about.trim(), credentials: read(lines) }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['builder'] }),
  })
  const fields = [
    { key: 'name', label: words.name, value: name, set: setName, rows: 1 },
    { key: 'about', label: words.about, value: about, set: setAbout, rows: 3 },
    { key: 'credentials', label: words.credentials, value: lines, set: setLines, rows: 2 },
  ]
  return (
    <section className="panel text-small">
      <h2 className="text-large font-semibold">{words.heading}</h2>
      <p className="text-soft">{words.lead}</p>
      <form
        className="mt-3 max-w-2xl space-y-3"
        onSubmit={(event: FormEvent) => {
          event.preventDefault()
          if (name.trim() && !saving.isPending) saving.mutate()
        }}
      >
        {fields.map(({ key, label, value, set, rows }) => (
          <div key={key}>
            <label htmlFor={`${id}${key}`} className="block font-medium">
              {label}
            </label>
            {rows === 1 ? (
              <input
                id={`${id}${key}`}
                value={value}
                maxLength={80}
                autoComplete="name"
                onChange={(event) => set(event.target.value)}
                className="field mt-1 block min-h-11"
              />
            ) : (
              <textarea
                id={`${id}${key}`}
                value={value}
                rows={rows}
                maxLength={2500}
                placeholder={key === 'credentials' ? words.example : undefined}
                onChange={(event) => set(event.target.value)}
                className="field mt-1 block"
              />
            )}
          </div>
        ))}
        <button type="submit" className="button" aria-disabled={saving.isPending || !name.trim()}>
          {words.save}
        </button>
        <p role="status" className="text-gain empty:hidden">
          {saving.isSuccess ? words.saved : ''}
        </p>
        {saving.error && <Trouble error={saving.error} />}
      </form>
    </section>
  )
}

/** One qualification a line; what follows the last | is where it can be seen. */
function read(lines: string): { title: string; url: string }[] {
  return lines
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line) => {
      const bar = line.lastIndexOf('|')
      return bar < 0 ? { title: line, url: '' } : { title: line.slice(0, bar).trim(), url: line.slice(bar + 1).trim() }
    })
}
