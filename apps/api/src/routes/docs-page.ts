import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Router } from 'express';

/** What is made for browsers: a module, and parts that it asks for by names that change with their content. */
const ASSETS = join(dirname(createRequire(import.meta.url).resolve('@scalar/api-reference')), 'browser');

/** The style sheets of the page write into the attributes of what they show; scripts come from here only. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>grsai-jobs API</title>
<link rel="icon" href="/admin/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/docs/page.css">
</head>
<body>
<noscript>This page needs scripts; <a href="/openapi.json">openapi.json</a> says the same.</noscript>
<div id="reference"></div>
<script src="/docs/page.js" type="module"></script>
</body>
</html>
`;

/** Colours that can be read (WCAG AA): some of its own are too pale. */
const STYLE = `.light-mode {
  --scalar-color-3: #666;
  --scalar-color-green: #00704a;
  --scalar-color-red: #c00000;
  --scalar-color-blue: #0060a0;
  --scalar-color-orange: #9a4b00;
  --scalar-color-yellow: #7a5c00;
  --scalar-color-purple: #6b3fa0;
}
.dark-mode {
  --scalar-color-3: #a6a6a6;
  --scalar-color-red: #ff7070;
}
`;

/** Nothing is asked of, told to or fetched from its makers, and a key that is typed in is kept nowhere. */
const SCRIPT = `import { createApiReference } from '/docs/assets/standalone.esm.js';

createApiReference('#reference', {
  url: '/openapi.json',
  modelsSectionLabel: 'Schemas',
  withDefaultFonts: false,
  telemetry: false,
  persistAuth: false,
  hideClientButton: true,
  showDeveloperTools: 'never',
  agent: { disabled: true },
  mcp: { disabled: true },
});
`;

/** `/openapi.json` and a page that shows it. All of the page comes from here; it asks no third party for anything. */
export function docsRoutes(openapi: object): Router {
  const router = Router();
  const text = JSON.stringify(openapi);
  router.get('/openapi.json', (_request, response) => {
    response.type('application/json').send(text);
  });
  router.get('/docs', (_request, response) => {
    response.set('Content-Security-Policy', POLICY).type('html').send(PAGE);
  });
  router.get('/docs/page.css', (_request, response) => {
    response.type('text/css').send(STYLE);
  });
  router.get('/docs/page.js', (_request, response) => {
    response.type('text/javascript').send(SCRIPT);
  });
  router.get('/docs/assets{/chunks}/:name', (request, response, next) => {
    // Maps of its source are three times as large, and for nobody here.
    if (!/^[\w.-]+\.js$/.test(request.params.name)) return next();
    const name = request.path.slice('/docs/assets/'.length);
    response.set('Cache-Control', 'public, max-age=3600').sendFile(name, { root: ASSETS, acceptRanges: false });
  });
  return router;
}
