package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"zipreel/gateway/origin"
)

// Values of a configuration file may stand outside of it: ${NAME} is the environment's, and what ends in _file names a file. None of them is ever
// part of a message.

const maxSecretBytes = 64 << 10

var variable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// expand puts the environment's values in the place of each ${NAME}.
func expand(key, value string) (string, error) {
	var missing string
	value = variable.ReplaceAllStringFunc(value, func(v string) string {
		name := v[2 : len(v)-1]
		found, ok := os.LookupEnv(name)
		if !ok {
			missing = name
		}
		return found
	})
	if missing != "" {
		return "", fmt.Errorf("%s: the environment has no variable %s", key, missing)
	}
	return value, nil
}

// expandAll expands values in their place, by key.
func expandAll(values map[string]*string) error {
	for key, value := range values {
		expanded, err := expand(key, *value)
		if err != nil {
			return err
		}
		*value = expanded
	}
	return nil
}

// secretFile reads a file that holds one secret. A final line break does not belong to it.
func secretFile(key, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fileError(key+": read", path, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxSecretBytes+1))
	if err != nil {
		return "", fileError(key+": read", path, err)
	}
	data = bytes.TrimRight(data, "\r\n")
	switch {
	case len(data) == 0:
		return "", fmt.Errorf("%s: %s is empty", key, path)
	case len(data) > maxSecretBytes || bytes.ContainsAny(data, "\r\n\x00"):
		return "", fmt.Errorf("%s: %s holds more than one line", key, path)
	}
	return string(data), nil
}

// authorization is what a node's username, password and token make. Nil where there is none.
func (n nodeConfig) authorization(folder string) (origin.Authorization, error) {
	basic := n.Username != "" || n.Password != "" || n.PasswordFile != ""
	bearer := n.Token != "" || n.TokenFile != ""
	switch {
	case basic && bearer:
		return nil, errors.New("a user and a token; a node takes one of them")
	case n.Password != "" && n.PasswordFile != "":
		return nil, errors.New("password and password_file; choose one")
	case n.Token != "" && n.TokenFile != "":
		return nil, errors.New("token and token_file; choose one")
	case basic && n.Username == "":
		return nil, errors.New("a password without username")
	case strings.Contains(n.Username, ":"):
		return nil, errors.New("username holds a colon, which no server could tell from the one before the password")
	case n.PasswordFile != "":
		return fromFile("password_file", within(folder, n.PasswordFile), func(password string) string { return basicValue(n.Username, password) })
	case n.TokenFile != "":
		return fromFile("token_file", within(folder, n.TokenFile), func(token string) string { return "Bearer " + token })
	case basic:
		return origin.Basic(n.Username, n.Password), nil
	case bearer:
		return origin.Bearer(n.Token), nil
	}
	return nil, nil
}

func basicValue(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// fromFile is an Authorization whose secret stands in a file, which is read again when the secret is refused.
func fromFile(key, path string, value func(secret string) string) (origin.Authorization, error) {
	secret, err := secretFile(key, path)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex // guards secret
	return func(renew bool) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		if renew {
			if read, err := secretFile(key, path); err == nil {
				secret = read
			}
		}
		return value(secret), nil
	}, nil
}

// within answers a path that is relative to a folder.
func within(folder, path string) string {
	if filepath.IsAbs(path) || strings.HasPrefix(path, "~") {
		return path
	}
	return filepath.Join(folder, path)
}
