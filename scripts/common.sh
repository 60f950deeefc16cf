# shellcheck shell=bash
# Shared by the scripts beside it: sourced, never run.

UV_VERSION="0.13.9" # the resolver that made requirements.lock
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/demon-bridge"
UV="$CACHE/uv-venv/bin/uv"

# Outside the tree, so that every clone on this machine shares what cargo has already built.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$CACHE/target}"
case ":$PATH:" in
  *":$HOME/.cargo/bin:"*) ;;
  *) export PATH="$PATH:$HOME/.cargo/bin" ;;
esac

say() { printf '%s\n' "==> $*"; }
fail() { # fail TEXT NEXT
  printf 'error: %s\nnext: %s\n' "$1" "$2" >&2
  exit 1
}

# Says what runs, then runs it.
run() {
  printf '+ %s\n' "$*"
  "$@"
}

bootstrap_uv() {
  if [ -x "$UV" ] && [ "$("$UV" --version 2>/dev/null | cut -d' ' -f2)" = "$UV_VERSION" ]; then return; fi
  say "uv $UV_VERSION into ${UV%/bin/uv} (installs Python packages from requirements.lock)"
  mkdir -p "$CACHE"
  local fresh
  fresh="$(mktemp -d "$CACHE/uv-venv.XXXXXX")" # then renamed: an interrupted install is never taken for a whole one
  "$PYTHON" -m venv "$fresh"
  "$fresh/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$UV_VERSION"
  rm -rf "$CACHE/uv-venv"
  mv "$fresh" "$CACHE/uv-venv"
}

# pip's own settings (environment or pip.conf) say where packages come from on this machine; uv does not read them.
adopt_pip_settings() {
  local settings
  settings="$("$CACHE/uv-venv/bin/python" -m pip config list 2>/dev/null || true)"
  pip_value() { printf '%s\n' "$settings" | sed -nE "s/^(global|install|:env:)\.$1='(.*)'\$/\2/p" | tail -n 1; }
  adopt() { # adopt UV_VARIABLE PIP_KEY
    local value
    value="$(pip_value "$2")"
    if [ -n "$value" ] && [ -z "${!1:-}" ]; then export "$1=$value"; fi
  }
  adopt UV_DEFAULT_INDEX index-url
  adopt UV_INDEX extra-index-url
  if [ -d "$(pip_value find-links)" ]; then adopt UV_FIND_LINKS find-links; fi
  adopt SSL_CERT_FILE cert
  adopt UV_HTTP_TIMEOUT default-timeout
  if [ -e /etc/ssl/certs/ca-certificates.crt ]; then export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"; fi
}
