/** The API as a page: Swagger UI, served from what is installed, under the same policy as all pages. */
import type { Express } from 'express';
import { absolutePath } from 'swagger-ui-dist';

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>API · hiphop-popularity</title>
    <link rel="icon" href="/icon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="/api/docs/swagger-ui.css" />
    <link rel="stylesheet" href="/api/docs/page.css" />
  </head>
  <body>
    <p class="back"><a href="/">hiphop-popularity</a> · <a href="/api/openapi.json">openapi.json</a></p>
    <main id="api"></main>
    <script src="/api/docs/swagger-ui-bundle.js"></script>
    <script src="/api/docs/page.js"></script>
  </body>
</html>
`;

/** Trying a route out from a browser that is signed in takes its proof, as on every page. */
const script = `window.ui = SwaggerUIBundle({
  url: '/api/openapi.json',
  dom_id: '#api',
  deepLinking: true,
  docExpansion: 'list',
  filter: true,
  tagsSorter: 'alpha',
  defaultModelsExpandDepth: -1,
  validatorUrl: null,
  requestInterceptor: async (request) => {
    if (request.loadSpec || !request.method || request.method === 'GET') return request;
    const { csrf } = await (await fetch('/api/me')).json();
    if (csrf && !request.headers.Authorization) request.headers['X-CSRF-Token'] = csrf;
    return request;
  },
});
`;

const style = `body { margin: 0; background: #fff; font-family: system-ui, sans-serif; }
.back { margin: 0; padding: 0.75rem 1.25rem; border-bottom: 1px solid #d8dce2; }
.back a { color: #0b5cad; }
`;

/** Files of Swagger UI that the page needs, and no others of its folder. */
const files = ['swagger-ui.css', 'swagger-ui-bundle.js'];

export function mountDocs(app: Express): void {
  app.get('/api/docs', (_request, response) => {
    response.type('html').set('Cache-Control', 'no-cache').send(page);
  });
  app.get('/api/docs/page.js', (_request, response) => {
    response.type('js').send(script);
  });
  app.get('/api/docs/page.css', (_request, response) => {
    response.type('css').send(style);
  });
  for (const file of files) {
    app.get(`/api/docs/${file}`, (_request, response) => {
      response.sendFile(file, { root: absolutePath(), maxAge: '1 day' });
    });
  }
}
