# engine/bind
