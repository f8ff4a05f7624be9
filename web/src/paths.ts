// Names to URLs and back. Every URL of the page is relative to the document's base: the gateway may be mounted under
// any prefix, and for /embed/… it answers with a <base> that leads back to the mount. Pure, but for mount().

/** encodePath percent-encodes each element of a name and leaves the slashes. "." and ".." cannot be told from steps
 * up a path, and no served entry has them: they become unreachable rather than something else. */
export function encodePath(name: string): string {
  return name.split('/').map((e) => (e === '.' || e === '..' ? '%00' : encodeURIComponent(wellFormed(e)))).join('/');
}

/** wellFormed replaces lone surrogates, on which encodeURIComponent throws. */
function wellFormed(s: string): string {
  return s.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, '\uFFFD');
}

export interface Title { source: string; archive: string }

/** deepLink is the page's own address of an archive: "#/films/a/bbb.zip". */
export function deepLink(t: Title): string {
  return `#/${encodePath(t.source)}/${encodePath(t.archive)}`;
}

/** parseDeepLink reads what deepLink wrote; null for anything else, which is the library. */
export function parseDeepLink(hash: string): Title | null {
  const m = /^#\/([^/]+)\/(.+)$/.exec(hash);
  return m ? decodeTitle(m[1]!, m[2]!) : null;
}

/** parseEmbed reads the archive out of /prefix/embed/{source}/{archive}; root is the mount's path, "/prefix/". */
export function parseEmbed(pathname: string, root: string): Title | null {
  if (!pathname.startsWith(`${root}embed/`)) return null;
  const m = /^([^/]+)\/(.*[^/])\/?$/.exec(pathname.slice(root.length + 6));
  return m ? decodeTitle(m[1]!, m[2]!) : null;
}

function decodeTitle(source: string, archive: string): Title | null {
  try {
    return { source: decodeURIComponent(source), archive: archive.split('/').map(decodeURIComponent).join('/') };
  } catch {
    return null; // a percent sign that encodes nothing
  }
}

/** embedSnippet is the HTML that shows the player elsewhere. url must be percent-encoded; the title is escaped here. */
export function embedSnippet(url: string, title: string): string {
  const text = (s: string) => s.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);
  return `<iframe src="${text(url)}" title="${text(title)}" width="960" height="540" style="border:0;aspect-ratio:16/9;max-width:100%;height:auto" ` +
    `allow="autoplay; fullscreen; picture-in-picture" allowfullscreen></iframe>`;
}

/** mount is where the gateway is, absolute, ending in "/". */
export function mount(): URL {
  return new URL('.', document.baseURI);
}

/** absolute makes a URL of the API, which is relative to the mount, absolute. */
export function absolute(relative: string): string {
  return new URL(relative, mount()).href;
}
