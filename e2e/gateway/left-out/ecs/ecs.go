// Package ecs stands in for Traefik's package of that name, which brings the libraries of Amazon's cloud.
package ecs

import (
	"errors"

	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/safe"
)

// Provider is in Traefik's configuration by this type.
type Provider struct{}

// SetDefaults has none to set.
func (*Provider) SetDefaults() {}

// Init refuses.
func (*Provider) Init() error { return errors.New("ECS is left out of this build") }

// Provide is not called after Init.
func (*Provider) Provide(chan<- dynamic.Message, *safe.Pool) error { return nil }
