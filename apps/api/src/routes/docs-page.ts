import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { Router } from 'express';

/** The parts of the package that the page needs; it brings maps, a page and scripts of its own besides. */
const ASSETS = ['favicon-32x32.png', 'swagger-ui.css', 'swagger-ui-bundle.js'];

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
<link rel="icon" href="/docs/assets/favicon-32x32.png" type="image/png">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
</head>
<body>
<script src="/docs/theme.js"></script>
<div id="swagger-ui"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/page.js"></script>
</body>
</html>
`;

/** Its style sheet has dark colors too, for whoever sets this class. */
const THEME = `const dark = matchMedia('(prefers-color-scheme: dark)');
const paint = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', paint);
paint();
`;

const SCRIPT =
  "window.ui = SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true, validatorUrl: null });\n";

/** `/openapi.json` and a page that shows it. All of the page comes from here; it asks no third party for anything. */
export function docsRoutes(openapi: object): Router {
  const router = Router();
  const text = JSON.stringify(openapi);
  const assets = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  router.get('/openapi.json', (_request, response) => {
    response.type('application/json').send(text);
  });
  router.get('/docs', (_request, response) => {
    response.set('Content-Security-Policy', POLICY).type('html').send(PAGE);
  });
  for (const [name, script] of Object.entries({ 'theme.js': THEME, 'page.js': SCRIPT })) {
    router.get(`/docs/${name}`, (_request, response) => {
      response.type('text/javascript').send(script);
    });
  }
  for (const name of ASSETS) {
    router.get(`/docs/assets/${name}`, (_request, response) => {
      response.set('Cache-Control', 'public, max-age=3600').sendFile(name, { root: assets, acceptRanges: false });
    });
  }
  return router;
}
