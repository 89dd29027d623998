import { defineConfig } from 'vite';

export default defineConfig({
  build: {
    outDir: '../../dist/site',
    emptyOutDir: true,
    // A picture or font inside a style sheet would need a looser content policy.
    assetsInlineLimit: 0,
    target: 'es2022',
    rolldownOptions: {
      // Libraries mark what runs in browsers for servers that render; here everything does.
      onLog: (level, log, next) => {
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') next(level, log);
      },
    },
  },
});
