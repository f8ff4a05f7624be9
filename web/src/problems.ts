// What went wrong, in plain words. Codes are the gateway's (application/problem+json), and stable.

const words: Record<string, string> = {
  'not-found-source': 'There is no source of this name. It may have been renamed or taken out of the configuration.',
  'not-found-archive': 'There is no archive of this name in storage. It may have been moved or deleted.',
  'not-found-entry': 'The archive has no such file in it. It may have been replaced while the page was open.',
  'not-found-playlist': 'This archive has no playlist in it, so there is nothing to play. Its files are listed below.',
  'link-outside-archive': 'A playlist points at bytes that belong to no file of the archive.',
  'bad-path': 'The address is not written correctly.',
  'bad-token': 'The link’s signature is not valid.',
  'expired-token': 'This link has expired. Ask for a new one.',
  'wrong-host': 'The gateway does not answer under this host name.',
  'zip-not-found': 'This is not a ZIP archive, or it is damaged.',
  'zip-ambiguous-end': 'The end of the archive can be read in two ways, so it is refused.',
  'zip-prefix-data': 'Something was put in front of the archive, so that its offsets are wrong.',
  'zip-directory-count': 'The archive’s directory contradicts itself. Pack it again.',
  'zip-zip64-mismatch': 'The archive’s directory contradicts itself. Pack it again.',
  'zip-multidisk': 'The archive is split over several files, which cannot be played.',
  'zip-too-large': 'The archive’s directory is larger than this gateway allows.',
  'zip-overlap': 'Files of the archive overlap, so it is refused.',
  'zip-duplicate-name': 'The archive has two files of one name, so it is refused.',
  'zip-encrypted': 'This part of the archive is encrypted with a ZIP password, which cannot be played.',
  'zip-method': 'This part of the archive is compressed. Pack it again without compression.',
  'zip-size-mismatch': 'The sizes of a file in the archive contradict each other.',
  'zip-local-mismatch': 'A file of the archive is not what its directory says.',
  'checksum': 'The content is damaged: it does not match the archive’s checksum.',
  'checksum-node': 'Storage delivered damaged content. Trying again may reach a sound copy.',
  'playlist-too-large': 'The playlist is too large.',
  'origin-no-range': 'The storage server does not support reading parts of a file.',
  'origin-bad-range': 'The storage server answered with the wrong part of the file.',
  'origin-denied': 'The storage server denied access.',
  'origin-redirect': 'The storage server redirected to somewhere it must not.',
  'origin-tls': 'No secure connection to the storage server could be made.',
  'origin-dns': 'The storage server’s name could not be found.',
  'origin-unavailable': 'The storage server cannot be reached just now.',
  'origin-slow': 'The storage server is slow to answer; the gateway is still waiting for it. Try again in a moment.',
  'origin-timeout': 'The storage server did not answer in time.',
  'archive-changed': 'The archive has just been replaced. Try again to play the new one.',
  'archive-incomplete': 'The archive is still being uploaded. Try again when that is done.',
  'overloaded': 'The gateway has too much to do just now. Try again in a moment.',
  'rate-limited': 'Too many requests. Try again in a moment.',
  'offline': 'The gateway cannot be reached. Check the connection.',
  'media': 'The video could not be decoded by this browser.',
  'unsupported': 'This browser cannot play this kind of stream. VLC or mpv can: copy the player URL below.',
};

/** Problem is a failure with its code; the message is for people. */
export class Problem extends Error {
  constructor(readonly code: string, readonly status: number, readonly detail: string) {
    super(words[code] ?? (detail || 'Something went wrong.'));
    this.name = 'Problem';
  }
}

/** lasting says that asking again will not help: the gateway answers faults that pass with 5xx. */
export function lasting(p: Problem): boolean {
  return (p.status >= 400 && p.status < 500) || p.code === 'unsupported';
}

/** problemOf reads a failed answer. What is no problem document gets its status as code. */
export async function problemOf(res: Response): Promise<Problem> {
  if (res.headers.get('Content-Type')?.startsWith('application/problem+json')) {
    const body: unknown = await res.json().catch(() => null);
    if (body !== null && typeof body === 'object') {
      const field = (name: string) => String((body as Record<string, unknown>)[name] ?? '');
      return new Problem(field('code') || `http-${res.status}`, res.status, field('detail'));
    }
  }
  return new Problem(`http-${res.status}`, res.status, `The server answered ${res.status}.`);
}

/** asProblem makes a Problem of anything thrown. fetch throws TypeError when nothing answers. */
export function asProblem(err: unknown): Problem {
  if (err instanceof Problem) return err;
  if (err instanceof TypeError) return new Problem('offline', 0, err.message);
  return new Problem('unknown', 0, err instanceof Error ? err.message : String(err));
}
