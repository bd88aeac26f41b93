import { GALLERY_STYLE } from './gallery-style.ts';
import type { Delivery } from './receiver.ts';
import { answerOf, type Entry, isRight, secondsOf } from './run.ts';
import { median, whatIsWrong } from './summary.ts';

export interface GalleryFacts {
  readonly entries: readonly Entry[];
  readonly deliveries: readonly Delivery[];
  readonly upstream: string;
  readonly startedAt: Date;
  readonly seconds: number;
}

/** One page with everything that the demo made. It asks no other host for anything; the images lie beside it in `images/`. */
export function galleryPage({ entries, deliveries, upstream, startedAt, seconds }: GalleryFacts): string {
  const right = entries.filter(isRight).length;
  const images = entries.filter(({ wish }) => wish.type === 'image');
  const chats = entries.filter(({ wish }) => wish.type === 'chat');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>grsai-jobs demo: ${right} of ${entries.length} right</title>
<style>${GALLERY_STYLE}</style>
</head>
<body>
<header>
  <h1>grsai-jobs <span>demo</span></h1>
  <p class="verdict ${right === entries.length ? 'good' : 'bad'}">${right} of ${entries.length} right</p>
  <dl>
    ${fact('upstream', upstream)}
    ${fact('run', `${startedAt.toISOString().slice(0, 16).replace('T', ' ')} UTC, ${seconds.toFixed(0)} s in all`)}
    ${fact('chat, median', middle(chats))}
    ${fact('image, median', middle(images))}
    ${fact('webhooks verified', `${deliveries.filter(({ problem }) => problem === '').length} of ${deliveries.length}`)}
  </dl>
</header>
<main>
<section>
  <h2>Images</h2>
  <div class="images">${images.map(imageCard).join('')}</div>
</section>
<section>
  <h2>Chats</h2>
  <div class="chats">${chats.map(chatCard).join('')}</div>
</section>
<section>
  <h2>Webhooks</h2>
  <div class="scroll">${webhookTable(deliveries)}</div>
</section>
</main>
</body>
</html>
`;
}

const fact = (name: string, text: string) => `<div><dt>${html(name)}</dt><dd>${html(text)}</dd></div>`;

function middle(entries: readonly Entry[]): string {
  const times = entries.map(secondsOf).filter((seconds) => seconds !== undefined);
  return times.length > 0 ? `${median(times).toFixed(1)} s` : 'none finished';
}

const took = (entry: Entry): string => {
  const seconds = secondsOf(entry);
  return seconds === undefined ? '' : `${seconds.toFixed(1)} s`;
};

const wrong = (entry: Entry): string => (isRight(entry) ? '' : `<p class="wrong">${html(whatIsWrong(entry))}</p>`);

function imageCard(entry: Entry): string {
  const { wish, images } = entry;
  const pictures = images.map(
    ({ image, file }) =>
      `<a href="images/${html(file)}"><img src="images/${html(file)}" width="${image.width}" height="${image.height}" alt="${html(wish.prompt)}" loading="lazy"></a>`,
  );
  const first = images[0]?.image;
  const facts = first
    ? `${first.width} × ${first.height} · ${first.content_type.replace('image/', '')} · ${kib(first.bytes)}`
    : 'no image';
  const hash = first ? `<p class="hash" title="${html(first.sha256)}">sha256 ${html(first.sha256.slice(0, 16))}…</p>` : '';
  return `<figure>${pictures.join('') || '<div class="empty"></div>'}
<figcaption><p class="prompt">${html(wish.prompt)}</p>
<p class="meta"><b>${html(wish.model)}</b> <span>${html(wish.ratio ?? '')}</span> <span class="time">${took(entry)}</span></p>
<p class="meta">${html(facts)}</p>${hash}${wrong(entry)}</figcaption></figure>`;
}

function chatCard(entry: Entry): string {
  return `<article><p class="prompt">${html(entry.wish.prompt)}</p><p class="answer">${html(answerOf(entry) || 'no answer')}</p>
<p class="meta"><b>${html(entry.wish.model)}</b> <span class="time">${took(entry)}</span></p>${wrong(entry)}</article>`;
}

function webhookTable(deliveries: readonly Delivery[]): string {
  const rows = deliveries.map(
    ({ at, id, type, jobId, problem }) =>
      `<tr><td class="time">${at.toISOString().slice(11, 23)}</td><td>${html(type)}</td><td class="id">${html(id)}</td><td class="id">${html(jobId)}</td>` +
      `<td class="${problem === '' ? 'good' : 'bad'}">${problem === '' ? 'verified' : html(problem)}</td></tr>`,
  );
  return `<table><thead><tr><th>time</th><th>type</th><th>webhook-id</th><th>job</th><th>signature</th></tr></thead><tbody>${rows.join('\n')}</tbody></table>`;
}

const kib = (bytes: number): string =>
  bytes < 1024 * 1024 ? `${Math.ceil(bytes / 1024)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const html = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
