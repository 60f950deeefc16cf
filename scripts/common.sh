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
  local python="$CACHE/uv-venv/bin/python" value
  pip_value() { "$python" -m pip config get "$1" 2>/dev/null || true; }
  value="${PIP_INDEX_URL:-$(pip_value global.index-url)}"
  if [ -n "$value" ]; then export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$value}"; fi
  value="${PIP_EXTRA_INDEX_URL:-$(pip_value global.extra-index-url)}"
  if [ -n "$value" ]; then export UV_INDEX="${UV_INDEX:-$value}"; fi
  value="${PIP_CERT:-$(pip_value global.cert)}"
  if [ -n "$value" ]; then export SSL_CERT_FILE="${SSL_CERT_FILE:-$value}"; fi
  if [ -n "${PIP_FIND_LINKS:-}" ] && [ -e "$PIP_FIND_LINKS" ]; then
    export UV_FIND_LINKS="${UV_FIND_LINKS:-$PIP_FIND_LINKS}"
  fi
  export UV_HTTP_TIMEOUT="${UV_HTTP_TIMEOUT:-${PIP_DEFAULT_TIMEOUT:-120}}"
}
