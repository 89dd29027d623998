# One image for every role: `docker run … work --only preview,spectrogram`.
# It holds a GPLv3 build of FFmpeg (in node-av): whoever passes the image on passes on the GPL.
FROM node:24-bookworm AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run build
# TensorFlow's own libraries, and the binding built against them (python3 and g++ are in this stage alone).
RUN apt-get update && apt-get install -y --no-install-recommends python3-pip g++ \
  && CACHE_DIR=/opt/hiphop-cache DATA_DIR=/tmp/data node bin/hiphop.mjs doctor --fix \
  && npm prune --omit=dev

FROM node:24-bookworm-slim
ENV NODE_ENV=production CACHE_DIR=/opt/hiphop-cache DATA_DIR=/data
WORKDIR /app
COPY --from=build /opt/hiphop-cache /opt/hiphop-cache
COPY --from=build /app /app
RUN mkdir /data && chown node /data
USER node
VOLUME /data
ENTRYPOINT ["node", "bin/hiphop.mjs"]
CMD ["up"]
