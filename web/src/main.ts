// The page: which view the address names, and changing between them.
import './styles/base.css';
import './styles/library.css';
import './styles/player.css';
import './styles/archive.css';
import { showArchive } from './archive/page.ts';
import { showEmbed } from './embed.ts';
import { showLibrary } from './library/library.ts';
import { mount, parseDeepLink, parseEmbed } from './paths.ts';

const root = document.getElementById('app')!;
let view = new AbortController(); // of the view on screen; aborted when it goes

function show(): void {
  view.abort();
  view = new AbortController();
  const title = parseDeepLink(location.hash);
  root.replaceChildren();
  if (title) showArchive(root, title, view.signal);
  else showLibrary(root, view.signal);
  scrollTo(0, 0);
}

const embedded = parseEmbed(location.pathname, mount().pathname);
if (embedded) {
  document.documentElement.classList.add('embed');
  void showEmbed(root, embedded);
} else {
  root.tabIndex = -1;
  addEventListener('hashchange', () => {
    show();
    root.focus({ preventScroll: true }); // so that a screen reader starts at the new view
  });
  show();
}
