// The viewer's page: reads the data, makes the header, the panels and the details, and keeps them together.

import type { ViewData } from '../data.ts';
import type { Context, Panel } from './context.ts';
import { details } from './details.ts';
import { h, replace } from './dom.ts';
import { graphPanel } from './graph-panel.ts';
import { helpDialog } from './help.ts';
import { kernelsPanel } from './kernels-panel.ts';
import { memoryPanel } from './memory-panel.ts';
import { type EntryModel, modelOf } from './model.ts';
import { passesPanel } from './passes-panel.ts';
import { rooflinePanel } from './roofline-panel.ts';
import { schedulePanel } from './schedule-panel.ts';
import { searchBox } from './search.ts';
import { type PanelName, panels, Store } from './state.ts';
import { isDark, onThemeChange, toggleTheme, watchTheme } from './theme.ts';

const makers: Readonly<Record<PanelName, (context: Context) => Panel>> = {
  graph: graphPanel,
  memory: memoryPanel,
  schedule: schedulePanel,
  roofline: rooflinePanel,
  kernels: kernelsPanel,
  passes: passesPanel,
};

async function unpack(packed: string): Promise<ViewData> {
  const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return JSON.parse(await new Response(stream).text()) as ViewData;
}

async function start(): Promise<void> {
  const data = await unpack(document.getElementById('data')!.textContent.trim());
  const store = new Store();
  const models = new Map<number, EntryModel>();
  const made = new Map<string, Panel>();
  const entryOf = (): number => Math.min(store.state.entry, data.entries.length - 1);
  const model = (): EntryModel => {
    const entry = entryOf();
    const known = models.get(entry) ?? modelOf(data.entries[entry]!);
    models.set(entry, known);
    return known;
  };
  const panel = (): Panel => {
    const key = `${entryOf()} ${store.state.panel}`;
    const known = made.get(key) ?? makers[store.state.panel]({ model: model(), store });
    made.set(key, known);
    return known;
  };

  const search = searchBox(model, store);
  const help = helpDialog();
  const theme = h('button', { type: 'button', class: 'icon', onclick: () => toggleTheme() });
  const nameTheme = (): void => {
    theme.textContent = isDark() ? '☀' : '☾';
    theme.setAttribute('aria-label', isDark() ? 'Light colours' : 'Dark colours');
    theme.title = theme.getAttribute('aria-label')!;
  };
  const entries = h(
    'select',
    { 'aria-label': 'Entry', onchange: () => store.set({ entry: Number(entries.value), selection: null }) },
    data.entries.map((e, i) => h('option', { value: i }, e.title)),
  );
  const tabs = panels.map((name) =>
    h(
      'button',
      {
        type: 'button',
        role: 'tab',
        id: `tab-${name}`,
        'aria-controls': 'main',
        onclick: () => store.set({ panel: name }),
      },
      name,
    ),
  );
  const tablist = h('div', { class: 'tabs', role: 'tablist', 'aria-label': 'Panels' }, tabs);
  tablist.addEventListener('keydown', (e) => {
    const by = e.key === 'ArrowRight' ? 1 : e.key === 'ArrowLeft' ? -1 : 0;
    if (by === 0) return;
    e.preventDefault();
    const next = (panels.indexOf(store.state.panel) + by + panels.length) % panels.length;
    store.set({ panel: panels[next]! });
    tabs[next]!.focus();
  });
  const main = h('main', { id: 'main', role: 'tabpanel' });
  const aside = h('aside', { 'aria-label': 'Details', 'aria-live': 'polite' });
  document.body.append(
    h(
      'header',
      {},
      h('h1', {}, data.title),
      data.entries.length > 1 ? entries : h('span', { class: 'entry' }, data.entries[0]!.title),
      tablist,
      search,
      theme,
      h(
        'button',
        {
          type: 'button',
          class: 'icon',
          'aria-label': 'Help',
          title: 'Help (?)',
          onclick: () => help.showModal(),
        },
        '?',
      ),
    ),
    h('div', { class: 'page' }, main, aside),
    help,
  );

  const update = (): void => {
    const { panel: name } = store.state;
    tabs.forEach((tab, i) => {
      const isChosen = panels[i] === name;
      tab.setAttribute('aria-selected', String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
    });
    main.setAttribute('aria-labelledby', `tab-${name}`);
    entries.value = String(entryOf());
    const { element, show } = panel();
    if (main.firstChild !== element) replace(main, element);
    show(store.state);
    details(aside, model(), store);
  };
  store.listen(update);
  onThemeChange(nameTheme);
  nameTheme();
  addEventListener('keydown', (e) => {
    const isTyping = e.target instanceof HTMLInputElement || e.target instanceof HTMLSelectElement;
    if (e.ctrlKey || e.metaKey || e.altKey || isTyping) return;
    if (e.key === '/') {
      e.preventDefault();
      search.focusInput();
    } else if (e.key === '?') help.showModal();
    else if (e.key === 'Escape' && !help.open) store.set({ selection: null });
    else if (/^[1-6]$/.test(e.key)) store.set({ panel: panels[Number(e.key) - 1]! });
  });
  update();
  document.documentElement.dataset['ready'] = 'true';
}

// Before anything is painted.
watchTheme();
start().catch((error: unknown) => {
  document.body.append(h('pre', { class: 'failed' }, `This page cannot show its data: ${String(error)}`));
});
