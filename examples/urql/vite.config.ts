import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// The page and the API have one origin: cookies work as they do behind a reverse proxy.
const proxy = { '/graphql': { target: process.env.CONVOKE_URL ?? 'http://127.0.0.1:8080', ws: true } };

export default defineConfig({ plugins: [react()], server: { proxy }, preview: { proxy } });
