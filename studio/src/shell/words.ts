/**
 * What stands around every page, in each language. Knows nothing of the pages.
 */
const en = {
  skip: 'Skip to the page',
  menu: 'Pages',
  pages: {
    '/': 'Build',
    '/build': 'New model',
    '/earn': 'Earnings',
    '/market': 'Find a model',
    '/market/wanted': 'Wanted',
    '/market/wallet': 'Wallet',
    '/challenge': 'Challenge',
    '/operate': 'Operate',
  },
  language: 'Language',
  theme: 'Colours',
  themes: { system: 'System colours', light: 'Light', dark: 'Dark' },
  lost: 'There is no such page.',
  home: 'To the first page',
  broken: 'This page broke. Nothing you kept is lost.',
  again: 'Load it again',
  loading: 'Loading',
}
const es: typeof en = {
  skip: 'Saltar a la página',
  menu: 'Páginas',
  pages: {
    '/': 'Construir',
    '/build': 'Modelo nuevo',
    '/earn': 'Ingresos',
    '/market': 'Encontrar un modelo',
    '/market/wanted': 'Se busca',
    '/market/wallet': 'Cartera',
    '/challenge': 'Reto',
    '/operate': 'Operar',
  },
  language: 'Idioma',
  theme: 'Colores',
  themes: { system: 'Como el sistema', light: 'Claro', dark: 'Oscuro' },
  lost: 'No existe esa página.',
  home: 'Ir a la primera página',
  broken: 'Esta página falló. No se pierde nada de lo guardado.',
  again: 'Cargarla de nuevo',
  loading: 'Cargando',
}
export const shellWords = { en, es }
