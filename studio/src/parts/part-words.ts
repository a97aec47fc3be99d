/**
 * What the small parts say that every page shares, in each language. Knows nothing of where a sentence stands.
 */
const en = {
  whatIsThis: (term: string) => `What is this: ${term}?`,
  copy: 'Copy',
  copied: 'Copied',
  copyWhat: (what: string) => `Copy ${what}`,
}
const es: typeof en = {
  whatIsThis: (term) => `¿Qué es esto: ${term}?`,
  copy: 'Copiar',
  copied: 'Copiado',
  copyWhat: (what) => `Copiar ${what}`,
}
export const partWords = { en, es }
