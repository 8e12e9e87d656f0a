// The viewer's page: one HTML file with everything inside, which opens from the disk and asks nothing of any network; its
// policy forbids that, too. In: data and the client's code, which `npm run build` bundles. Out: HTML.
//
// The data are JSON, compressed and in base64, so that no text of a user can end the script that holds them, and a net of a
// thousand nodes is a file of some hundred kilobytes.

import type { ViewData } from './data.ts';

export interface Client {
  readonly script: string;
  readonly style: string;
}

/** The whole page. */
export async function viewHtml(data: ViewData, { script, style }: Client): Promise<string> {
  const title = escapeHtml(`${data.title} – Heddle`);
  const packed = await compress(JSON.stringify(data));
  const policy = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="Heddle">
<title>${title}</title>
<style>${style.replaceAll('</', '<\\/')}</style>
</head>
<body>
<noscript>This page draws with JavaScript, which is switched off.</noscript>
<script id="data" type="application/octet-stream">${packed}</script>
<script>${script.replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--')}</script>
</body>
</html>
`;
}

/** Base64 of gzip. */
async function compress(text: string): Promise<string> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let binary = '';
  const chunk = 1 << 15;
  for (let at = 0; at < bytes.length; at += chunk)
    binary += String.fromCharCode(...bytes.subarray(at, at + chunk));
  return btoa(binary);
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}
