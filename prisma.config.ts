import { defineConfig } from 'prisma/config';

// Only Prisma's own tools read this file; the program takes its address from shared/config.ts.
export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  // biome-ignore lint/style/noProcessEnv: Prisma's tools have no other way to be told.
  datasource: { url: process.env.DATABASE_URL ?? 'postgresql://localhost/hiphop' },
});
