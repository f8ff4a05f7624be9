import { defineConfig } from 'vitest/config';
import { mockGateway } from './dev/mock.ts';

// All URLs are relative, so that the page works under any prefix. ZIPREEL_GATEWAY is the gateway that `npm run dev`
// and `npm run preview` talk to; ZIPREEL_MOCK, a folder of {source}/{title}/ media, stands in for it.
const gateway = process.env['ZIPREEL_GATEWAY'] ?? 'http://127.0.0.1:8080';
const media = process.env['ZIPREEL_MOCK'];
const proxy = media ? undefined : { '/api': gateway, '/v': gateway };

export default defineConfig({
  base: './',
  plugins: media ? [mockGateway(media)] : [],
  server: { host: '127.0.0.1', ...(proxy && { proxy }) },
  preview: { host: '127.0.0.1', ...(proxy && { proxy }) },
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 700, outDir: 'dist' },
  test: { include: ['src/**/*.test.ts'] },
});
