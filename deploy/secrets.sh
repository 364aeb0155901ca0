#!/bin/sh
# Creates the files with the secrets of compose.yaml, in secrets/. Files that exist stay as they are.
set -eu
cd "$(dirname "$0")/.."
# Others cannot enter the folder. The files must be readable: the users in the containers read them.
mkdir -p -m 700 secrets
for name in secret_key database_password encryption_keys transform_key; do
    # 32 random bytes as URL-safe base64: a key of the faces has to look like this.
    [ -e "secrets/$name" ] || head -c 32 /dev/urandom | base64 | tr '+/' '-_' > "secrets/$name"
    chmod 644 "secrets/$name"
done
